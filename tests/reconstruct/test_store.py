"""Scenes on disk."""

from __future__ import annotations

import dataclasses
import os
import stat
from pathlib import Path

import pytest
import torch

from neoverse_ns.errors import RunError
from neoverse_ns.gaussians.layers import BACKGROUND, FAR_FIELD, FRAMES, INPAINTED, LayeredGaussians
from neoverse_ns.reconstruct.store import is_saved_scene, load_scene, save_scene
from tests.reconstruct.small_scene import small_scene


def test_round_trip(tmp_path: Path) -> None:
    scene = small_scene()
    assert scene.gaussians is not None
    behind = {name: scene.gaussians.frames[i : 2 * i] for i, name in ((3, BACKGROUND), (4, INPAINTED), (5, FAR_FIELD))}
    scene = dataclasses.replace(scene, gaussians=LayeredGaussians({FRAMES: scene.gaussians.frames, **behind}))
    save_scene(scene, tmp_path / "scene")
    read = load_scene(tmp_path / "scene")
    assert torch.equal(read.clip.frames, scene.clip.frames)
    assert read.split == scene.split
    assert read.folder == tmp_path / "scene"
    for name in ("depth", "confidence", "dynamic"):
        assert torch.equal(getattr(read.geometry, name), getattr(scene.geometry, name))
    assert torch.equal(read.geometry.cameras.c2w, scene.geometry.cameras.c2w)
    assert read.gaussians is not None
    assert scene.gaussians is not None
    assert list(read.gaussians) == list(scene.gaussians)
    for name, value in scene.gaussians.tensors().items():
        assert torch.equal(read.gaussians.tensors()[name], value), name
    assert all(read.frame_file(i).is_file() for i in range(len(read.clip)))


@pytest.mark.skipif(os.name == "nt", reason="folders have no such modes there")
def test_a_scene_is_as_open_as_the_umask_says_unless_it_is_private(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        save_scene(small_scene(with_gaussians=False), tmp_path / "shared")
        save_scene(small_scene(with_gaussians=False), tmp_path / "mine", private=True)
    finally:
        os.umask(before)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("shared", "mine")]
    assert modes == [0o750, 0o700]
    assert len(list(tmp_path.iterdir())) == 2


def test_things_are_kept_where_they_are_known(tmp_path: Path) -> None:
    scene = small_scene(with_gaussians=False)
    save_scene(scene, tmp_path / "without")
    assert load_scene(tmp_path / "without").geometry.things is None
    things = scene.geometry.dynamic.int() * 3
    save_scene(
        dataclasses.replace(scene, geometry=dataclasses.replace(scene.geometry, things=things)), tmp_path / "with"
    )
    read = load_scene(tmp_path / "with").geometry
    assert read.things is not None
    assert torch.equal(read.things, things)


def test_keyframes_of_moving_things_alone_do_not_become_whole_ones(tmp_path: Path) -> None:
    scene = small_scene(with_gaussians=False)
    whole = scene.split.keyframes[::2]
    save_scene(dataclasses.replace(scene, split=dataclasses.replace(scene.split, keyframes=whole)), tmp_path / "scene")
    read = load_scene(tmp_path / "scene")
    assert read.split.keyframes == whole
    assert read.geometry.keyframes == scene.geometry.keyframes


def test_without_gaussians(tmp_path: Path) -> None:
    save_scene(small_scene(), tmp_path / "scene", with_gaussians=False)
    assert load_scene(tmp_path / "scene").gaussians is None


def test_an_interrupted_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space"):
        save_scene(small_scene(), tmp_path / "scene")
    assert list(tmp_path.iterdir()) == []


def test_the_first_writer_wins(tmp_path: Path) -> None:
    first = small_scene()
    save_scene(first, tmp_path / "scene")
    second = dataclasses.replace(first, geometry=dataclasses.replace(first.geometry, report={"kind": "other"}))
    save_scene(second, tmp_path / "scene")
    assert load_scene(tmp_path / "scene").geometry.report == {"kind": "parallax"}
    assert [p.name for p in tmp_path.iterdir()] == ["scene"]


@pytest.mark.parametrize(
    "part", ["scene.json", "geometry.npz", "gaussians.pt", "clip/clip.json", "clip/frame_00004.png"]
)
@pytest.mark.parametrize("how", ["missing", "truncated"])
def test_damage_is_one_clear_error(tmp_path: Path, part: str, how: str) -> None:
    folder = tmp_path / "scene"
    save_scene(small_scene(), folder)
    if how == "missing":
        (folder / part).unlink()
    else:
        (folder / part).write_bytes((folder / part).read_bytes()[:20])
    with pytest.raises(RunError, match="scene"):
        load_scene(folder)


def test_is_saved_scene(tmp_path: Path) -> None:
    assert not is_saved_scene(tmp_path)
