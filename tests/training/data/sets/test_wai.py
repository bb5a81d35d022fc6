"""Scenes in the WAI format give back what was written, from either axes and either place of intrinsics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import pytest
import torch
from PIL import Image

from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.sets.registry import data_set
from neoverse_ns.training.data.sets.wai import read_exr
from tests.training.data.synthetic_truth import HEIGHT, WIDTH, SyntheticTruth


def write_scene(folder: Path, monkeypatch: pytest.MonkeyPatch, opengl: bool, shared: bool, **about: Any) -> None:
    monkeypatch.setenv("OPENCV_IO_ENABLE_OPENEXR", "1")
    truth, frames, camera = SyntheticTruth(), [], {}
    for name in ("images", "depth"):
        (folder / name).mkdir(parents=True)
    for index in range(3):
        frame = truth.frame(index)
        assert frame.c2w is not None
        assert frame.depth is not None
        Image.fromarray(frame.rgb.numpy()).save(folder / "images" / f"{index}.png")
        depth = frame.depth.clone()
        depth[0, 0] = torch.inf
        cv2.imwrite(str(folder / "depth" / f"{index}.exr"), depth.numpy())
        pose = frame.c2w @ torch.diag(torch.tensor([1.0, -1, -1, 1], dtype=torch.float64)) if opengl else frame.c2w
        K = frame.K
        camera = dict(fl_x=K[0, 0].item(), fl_y=K[1, 1].item(), cx=K[0, 2].item(), cy=K[1, 2].item(), w=WIDTH, h=HEIGHT)
        one = {"frame_name": str(index), "image": f"images/{index}.png", "depth": f"depth/{index}.exr"}
        frames.append({**one, "transform_matrix": pose.tolist()} | ({} if shared else camera))
    modalities = {name: {"frame_key": name, "format": name} for name in ("image", "depth")}
    meta = {"dataset_name": "DL3DV", "camera_model": "PINHOLE", "camera_convention": "opengl" if opengl else "opencv"}
    meta |= {"frames": frames, "frame_modalities": modalities, "shared_intrinsics": shared}
    (folder / "scene_meta.json").write_text(json.dumps(meta | (camera if shared else {}) | about))


@pytest.mark.parametrize("opengl", [False, True])
def test_scenes_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opengl: bool) -> None:
    write_scene(tmp_path / "scene", monkeypatch, opengl, shared=opengl)
    (row,) = data_set("wai").find(tmp_path)
    assert (row.id, row.frames, row.width, row.height, row.static) == ("scene", 3, WIDTH, HEIGHT, True)
    assert row.has == {"pose", "depth", "motion"}
    clip = data_set("wai").open(tmp_path, row)
    frame, truth = clip.frame(1), SyntheticTruth().frame(1)
    assert torch.equal(frame.rgb, truth.rgb)
    assert torch.allclose(frame.K, truth.K)
    assert frame.c2w is not None
    assert frame.depth is not None
    assert truth.depth is not None
    assert torch.allclose(frame.c2w, truth.c2w)  # pyright: ignore[reportArgumentType]
    assert frame.depth[0, 0] == 0
    assert torch.equal(frame.depth.flatten()[1:], truth.depth.flatten()[1:])


def test_damage_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_scene(tmp_path / "scene", monkeypatch, False, True, dataset_name="sintel")
    (row,) = data_set("wai").find(tmp_path)
    assert not row.static
    assert row.has == {"pose", "depth"}
    clip = data_set("wai").open(tmp_path, row)
    exr = tmp_path / "scene" / "depth" / "1.exr"
    exr.write_bytes(exr.read_bytes()[:200])
    with pytest.raises(ClipError, match=r"1.exr"):
        clip.frame(1)
    with pytest.raises(ClipError, match=r"missing"):
        read_exr(tmp_path / "none.exr")
    with pytest.raises(ClipError, match="none numbered 3"):
        clip.frame(3)
    meta = tmp_path / "scene" / "scene_meta.json"
    whole = json.loads(meta.read_text())
    for change, words in (({"camera_model": "FISHEYE"}, "FISHEYE"), ({"frames": []}, "no frames")):
        meta.write_text(json.dumps(whole | change))
        with pytest.raises(ClipError, match=words):
            data_set("wai").find(tmp_path)
    meta.write_text("{")
    with pytest.raises(ClipError, match="no JSON"):
        data_set("wai").find(tmp_path)
    with pytest.raises(ClipError, match="holds no clips as wai"):
        data_set("wai").find(tmp_path / "scene" / "depth")
