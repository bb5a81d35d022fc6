"""What goes from the cache when it is full, and what stays."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from neoverse_ns.errors import SettingsError
from neoverse_ns.reconstruct import cache, cache_limit
from neoverse_ns.reconstruct.cache import cached_scene
from neoverse_ns.reconstruct.cache_entries import LEFT_AFTER, cache_entries, remove_entries
from neoverse_ns.reconstruct.cache_limit import cache_limit as limit_of
from neoverse_ns.reconstruct.cache_limit import keep_within
from neoverse_ns.reconstruct.cache_use import LOCK, hold, last_use, release_all, sole_use
from neoverse_ns.reconstruct.config import SceneConfig
from tests.reconstruct.small_scene import small_scene

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def nothing_held() -> Iterator[None]:
    release_all()
    yield
    release_all()


def entry(root: Path, number: int, age: float, size: int = 1000) -> Path:
    """A whole entry of about so many bytes, used so many seconds ago."""
    folder = root / "scenes" / f"{number:024x}"
    (folder / "clip").mkdir(parents=True)
    (folder / "gaussians.pt").write_bytes(bytes(size))
    (folder / "scene.json").write_text(json.dumps({"train": [0, 1], "held_out": [2]}))
    (folder / "clip" / "clip.json").write_text(json.dumps({"source": f"/videos/clip{number}.mp4"}))
    os.utime(folder / "scene.json", (time.time() - age,) * 2)
    return folder


def draft(root: Path, age: float) -> Path:
    """What a writer began so many seconds ago."""
    folder = root / "scenes" / f".{9:024x}-{age:.0f}"
    folder.mkdir(parents=True)
    (folder / "geometry.npz").write_bytes(bytes(500))
    for path in (folder / "geometry.npz", folder):
        os.utime(path, (time.time() - age,) * 2)
    return folder


def names(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "scenes").iterdir())


def test_entries_are_listed_by_use_with_what_they_are(tmp_path: Path) -> None:
    entry(tmp_path, 1, 50, 3000)
    entry(tmp_path, 2, 10)
    draft(tmp_path, 5)
    (tmp_path / "scenes" / "my notes").mkdir()
    (tmp_path / "scenes" / "file").write_text("")
    found = cache_entries(tmp_path)
    assert [(each.clip, each.frames, each.whole, each.left) for each in found] == [
        ("", None, False, False), ("clip2.mp4", 3, True, False), ("clip1.mp4", 3, True, False)
    ]  # fmt: skip
    assert 3000 < found[2].size < 3200
    assert cache_entries(tmp_path / "none") == []


def test_those_used_longest_ago_go_first_and_nothing_else(tmp_path: Path) -> None:
    for number, age in enumerate((40, 10, 30, 20)):
        entry(tmp_path, number, age)
    young, old = draft(tmp_path, 5), draft(tmp_path, LEFT_AFTER + 5)
    foreign = tmp_path / "scenes" / "my notes"
    foreign.mkdir()
    sizes = {each.folder.name: each.size for each in cache_entries(tmp_path)}
    limit = sum(sizes.values()) - sizes[old.name] - sizes[f"{0:024x}"] - 1
    tried = keep_within(tmp_path, limit, dry_run=True)
    assert len(names(tmp_path)) == 7
    removed = keep_within(tmp_path, limit)
    assert [each.folder for each in removed] == [each.folder for each in tried]
    assert [each.folder.name for each in removed] == [old.name, f"{0:024x}", f"{2:024x}"]
    assert names(tmp_path) == sorted([young.name, f"{1:024x}", f"{3:024x}", foreign.name])
    # Without a limit only what was left goes; with none at all everything but what is being written.
    assert keep_within(tmp_path, None) == []
    keep_within(tmp_path, 0)
    assert names(tmp_path) == sorted([young.name, foreign.name])


_HOLD = """
import sys
from pathlib import Path
from neoverse_ns.reconstruct.cache_use import hold
assert hold(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.readline()
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no locks that are shared")
def test_what_another_process_uses_stays_until_it_is_killed(tmp_path: Path) -> None:
    folder = entry(tmp_path, 1, 100)
    used = last_use(folder)
    command = [sys.executable, "-c", _HOLD, str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    # To hold it is to use it.
    assert last_use(folder) > used + 90
    assert keep_within(tmp_path, 0) == []
    assert remove_entries(cache_entries(tmp_path), dry_run=True) == []
    process.kill()
    process.wait()
    assert len(keep_within(tmp_path, 0)) == 1
    assert not folder.exists()


def test_what_is_being_removed_cannot_be_held(tmp_path: Path) -> None:
    folder = entry(tmp_path, 1, 100)
    with sole_use(folder) as free:
        assert free
        assert not hold(folder)
        with sole_use(folder) as twice:
            assert not twice
    assert hold(folder)
    with sole_use(folder) as free:
        assert not free
    # One that was removed and written again is another one.
    shutil.rmtree(folder)
    assert not hold(folder)
    entry(tmp_path, 1, 100)
    assert hold(folder)
    with sole_use(folder) as free:
        assert not free


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    folder = entry(tmp_path, 1, 100)
    (folder / LOCK).symlink_to(tmp_path / "elsewhere")
    assert hold(folder)
    assert not (tmp_path / "elsewhere").exists()
    with sole_use(folder) as free:
        assert not free


def test_limit_by_setting_then_environment_then_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEOVERSE_CACHE_LIMIT", "3GB")
    assert limit_of(tmp_path, "2GB") == 2 * 10**9
    assert limit_of(tmp_path, "none") is None
    assert limit_of(tmp_path) == 3 * 10**9
    monkeypatch.setenv("NEOVERSE_CACHE_LIMIT", "much")
    with pytest.raises(SettingsError, match=r"\$NEOVERSE_CACHE_LIMIT must be a size"):
        limit_of(tmp_path)
    monkeypatch.delenv("NEOVERSE_CACHE_LIMIT")
    for total, expected in ((10**9, 5), (2 * 10**11, 20), (10**13, 50)):
        usage = shutil._ntuple_diskusage(total, 0, total)  # type: ignore[attr-defined]
        monkeypatch.setattr(cache_limit.shutil, "disk_usage", lambda path, usage=usage: usage)
        assert limit_of(tmp_path / "not there yet") == expected * 10**9
    with pytest.raises(SettingsError, match="--cache-limit"):
        SceneConfig(cache_limit="much").validate()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no locks that are shared")
def test_a_new_scene_makes_room_and_stays_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cache, "build_scene", lambda path, config, device: small_scene())
    folders = []
    for number in range(3):
        clip = tmp_path / f"clip{number}.bin"
        clip.write_bytes(bytes([number]))
        scene = cached_scene(clip, SceneConfig(cache_dir=tmp_path / "cache"))
        assert scene.folder is not None
        os.utime(scene.folder / "scene.json", (time.time() - 100 + number,) * 2)
        folders.append(scene.folder)
    release_all()
    # The first one is used again; the limit leaves room for two.
    size = cache_entries(tmp_path / "cache")[0].size
    config = SceneConfig(cache_dir=tmp_path / "cache", cache_limit=str(int(2.5 * size)))
    assert cached_scene(tmp_path / "clip0.bin", config).folder == folders[0]
    capsys.readouterr()
    (tmp_path / "new.bin").write_bytes(b"new")
    new = cached_scene(tmp_path / "new.bin", config).folder
    assert {each.folder for each in cache_entries(tmp_path / "cache")} == {folders[0], new}
    assert "removed 2 reconstructions that were used longest ago" in capsys.readouterr().out
    # Both are in use now: a third one stays all the same, and no frame of theirs goes.
    (tmp_path / "third.bin").write_bytes(b"third")
    third = cached_scene(tmp_path / "third.bin", config).folder
    assert {each.folder for each in cache_entries(tmp_path / "cache")} == {folders[0], new, third}


def test_the_limit_does_not_key_the_cache(tmp_path: Path) -> None:
    clip = tmp_path / "clip.bin"
    clip.write_bytes(b"x")
    keys = {cache.scene_key(clip, SceneConfig(cache_limit=limit), "cpu") for limit in (None, "none", "1GB")}
    assert len(keys) == 1
