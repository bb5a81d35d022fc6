"""The cache of reconstructions."""

from __future__ import annotations

import dataclasses
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.errors import ClipError, SettingsError
from neoverse_ns.reconstruct import cache
from neoverse_ns.reconstruct.cache import cache_root, cached_scene, content_digest, scene_key
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.scene import Scene
from neoverse_ns.reconstruct.store import load_scene
from tests.owners import give_away
from tests.reconstruct.small_scene import small_scene


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.bin"
    path.write_bytes(b"some video")
    return path


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Path]:
    """Replaces reconstruction by a small scene and counts how often it was asked for."""
    calls: list[Path] = []

    def build(path: Path, config: SceneConfig, device: str = "cpu") -> Scene:
        calls.append(path)
        return small_scene()

    monkeypatch.setattr(cache, "build_scene", build)
    monkeypatch.setattr(cache, "fallback_root", lambda: tmp_path / "fallback")
    return calls


def test_the_second_time_comes_from_disk(clip: Path, tmp_path: Path, builds: list[Path]) -> None:
    config = SceneConfig(cache_dir=tmp_path / "cache")
    first = cached_scene(clip, config)
    second = cached_scene(clip, config)
    assert len(builds) == 1
    assert torch.equal(first.clip.frames, second.clip.frames)
    assert first.folder == second.folder


def test_what_is_taken_from_the_cache_still_says_which_frames_were_used(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def build(path: Path, config: SceneConfig, device: str = "cpu") -> Scene:
        scene = small_scene()
        scene.geometry.report["tracking"] = {"protocol": "m1", "frames_used": 30, "frames_left_out": 10}
        return scene

    monkeypatch.setattr(cache, "build_scene", build)
    config = SceneConfig(cache_dir=tmp_path / "cache")
    cached_scene(clip, config)
    assert "to follow what moves" not in capsys.readouterr().out
    assert cached_scene(clip, config).geometry.report["tracking"]["protocol"] == "m1"
    assert "30 used to follow what moves, 10 near held-out frames left out" in capsys.readouterr().out


def test_a_missing_mask_is_named_as_a_mask(clip: Path, tmp_path: Path) -> None:
    config = SceneConfig(clip=ClipConfig(ignore=tmp_path / "nope.png"))
    with pytest.raises(SettingsError, match=r"--ignore .*nope\.png"):
        scene_key(clip, config, "cpu")


def test_key_follows_content_and_settings_not_names(clip: Path, tmp_path: Path) -> None:
    config = SceneConfig()
    key = scene_key(clip, config, "cpu")
    twin = tmp_path / "other name.bin"
    twin.write_bytes(b"some video")
    assert scene_key(twin, config, "cpu") == key
    assert scene_key(clip, dataclasses.replace(config, cache_dir=tmp_path), "cpu") == key
    others = [
        dataclasses.replace(config, num_keyframes=5),
        dataclasses.replace(config, held_out_every=0),
        dataclasses.replace(config, tracking="m0"),
        dataclasses.replace(config, clip=ClipConfig(start=1.0)),
    ]
    keys = {scene_key(clip, other, "cpu") for other in others} | {scene_key(clip, config, "cuda")}
    assert len(keys | {key}) == 6
    twin.write_bytes(b"another video")
    assert scene_key(twin, config, "cpu") != key


def test_a_spacing_that_is_not_used_leaves_older_keys_as_they_were(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    plain_dumps = cache.json.dumps
    monkeypatch.setattr(
        cache.json, "dumps", lambda *given, **how: hashed.append(plain_dumps(*given, **how)) or hashed[-1]
    )
    plain, spaced = (scene_key(clip, SceneConfig(clip=ClipConfig(spacing=s)), "cpu") for s in (None, 5))
    assert plain != spaced
    assert ["spacing" in material for material in hashed] == [False, True]


def test_folder_digest_follows_names_and_content(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for name, colour in (("a.png", 0), ("b.png", 255)):
        Image.new("RGB", (20, 20), (colour,) * 3).save(folder / name)
    before = content_digest(folder)
    assert content_digest(folder) == before
    (folder / "a.png").rename(folder / "c.png")
    assert content_digest(folder) != before


@pytest.mark.parametrize("part", ["scene.json", "geometry.npz", "gaussians.pt"])
def test_a_damaged_entry_is_done_again(clip: Path, tmp_path: Path, builds: list[Path], part: str) -> None:
    config = SceneConfig(cache_dir=tmp_path / "cache")
    folder = cached_scene(clip, config).folder
    assert folder is not None
    (folder / part).write_bytes(b"junk")
    if part == "scene.json":
        (folder / part).write_text("{}")
    again = cached_scene(clip, config)
    assert len(builds) == 2
    assert again.folder == folder
    assert load_scene(folder).gaussians is not None


def test_an_unusable_folder_falls_back_and_says_so(
    clip: Path, tmp_path: Path, builds: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "cache"
    blocked.write_text("a file where a folder should be")
    config = SceneConfig(cache_dir=blocked)
    scene = cached_scene(clip, config)
    assert scene.folder is not None
    assert tmp_path / "fallback" in scene.folder.parents
    output = " ".join(capsys.readouterr().out.split())
    assert "cannot be used" in output
    assert "fallback" in output
    cached_scene(clip, config)
    assert len(builds) == 1


def test_nowhere_to_write_still_works(
    clip: Path, tmp_path: Path, builds: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setattr(cache, "fallback_root", lambda: blocked)
    scene = cached_scene(clip, SceneConfig(cache_dir=blocked))
    assert scene.folder is None
    assert len(scene.clip) == 9


FOREIGN = {"root of another user": 0, "entry of another user": 2, "file of another user": 3, "linked root": 0}
"""Cases, and how deep below the temporary folder lies what another user may have made."""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no numbers of users")
@pytest.mark.parametrize("case", FOREIGN)
def test_what_others_may_have_left_in_the_temporary_folder_is_not_read(
    case: str,
    clip: Path,
    tmp_path: Path,
    builds: list[Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    blocked = tmp_path / "cache"
    blocked.write_text("a file where a folder should be")
    config = SceneConfig(cache_dir=blocked)
    first = cached_scene(clip, config)
    assert first.folder is not None
    assert cached_scene(clip, config).folder == first.folder
    assert len(builds) == 1
    root = tmp_path / "fallback"
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    place = [root, first.folder.parent, first.folder, first.folder / "geometry.npz"][FOREIGN[case]]
    if case == "linked root":
        root.rename(tmp_path / "elsewhere")
        root.symlink_to(tmp_path / "elsewhere")
    else:
        give_away(place, monkeypatch)
    capsys.readouterr()
    again = cached_scene(clip, config)
    assert len(builds) == 2
    assert again.folder is None
    said = "is a symbolic link" if case == "linked root" else "belongs to another user"
    (line,) = [line for line in capsys.readouterr().out.replace("\n", " ").split("neoverse: ") if said in line]
    assert "is not used" in line


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such rights")
def test_an_entry_that_others_may_change_is_not_read_and_an_open_root_is_closed(
    clip: Path, tmp_path: Path, builds: list[Path]
) -> None:
    blocked = tmp_path / "cache"
    blocked.write_text("a file where a folder should be")
    config = SceneConfig(cache_dir=blocked)
    folder = cached_scene(clip, config).folder
    assert folder is not None
    (tmp_path / "fallback").chmod(0o777)
    assert cached_scene(clip, config).folder == folder
    assert len(builds) == 1
    assert stat.S_IMODE((tmp_path / "fallback").stat().st_mode) == 0o700
    folder.chmod(0o770)
    assert cached_scene(clip, config).folder is None
    assert len(builds) == 2


def test_other_caches_may_be_shared(
    clip: Path, tmp_path: Path, builds: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = SceneConfig(cache_dir=tmp_path / "cache")
    folder = cached_scene(clip, config).folder
    assert folder is not None
    give_away(folder, monkeypatch)
    assert cached_scene(clip, config).folder == folder
    assert len(builds) == 1


def test_folder_is_chosen_by_flag_then_environment_then_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NEOVERSE_CACHE_DIR", str(tmp_path / "env"))
    assert cache_root(tmp_path / "flag") == tmp_path / "flag"
    assert cache_root() == tmp_path / "env"
    monkeypatch.delenv("NEOVERSE_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_root() == tmp_path / "xdg" / "neoverse_ns"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_root() == Path.home() / ".cache" / "neoverse_ns"


_STORE = """
import sys
from pathlib import Path
from neoverse_ns.reconstruct.cache import _keep
from tests.reconstruct.small_scene import small_scene
scene = small_scene()
print("ready", flush=True)
sys.stdin.readline()
for _ in range(5):
    assert _keep(scene, [Path(sys.argv[1])]).folder is not None
"""


def test_two_processes_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "scenes" / "key"
    command = [sys.executable, "-c", _STORE, str(folder)]
    root = Path(__file__).resolve().parents[2]
    workers = [
        subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        worker.communicate(timeout=120)
        assert worker.returncode == 0
    assert load_scene(folder).gaussians is not None
    assert [p.name for p in folder.parent.iterdir()] == ["key"]


def test_bad_clips_and_settings(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="no such clip"):
        cached_scene(tmp_path / "none.mp4", SceneConfig(cache_dir=tmp_path))
    with pytest.raises(SettingsError, match="start"):
        cached_scene(tmp_path / "none.mp4", SceneConfig(cache_dir=tmp_path, clip=ClipConfig(start=float("nan"))))
    unreadable = tmp_path / "clip.mp4"
    unreadable.write_bytes(b"x")
    unreadable.chmod(0)
    try:
        if unreadable.stat().st_mode & stat.S_IRUSR == 0 and not _can_read(unreadable):
            with pytest.raises(ClipError, match="permission"):
                content_digest(unreadable)
    finally:
        unreadable.chmod(0o600)


def _can_read(path: Path) -> bool:
    """Root reads everything."""
    try:
        path.read_bytes()
    except PermissionError:
        return False
    return True
