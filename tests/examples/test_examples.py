"""The examples run as they are, and leave what they say."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from neoverse_ns.user_files import CACHE_VARIABLE
from tests.examples.conftest import EXAMPLES

SCRIPTS = sorted(file.name for file in EXAMPLES.glob("[0-9]*.py"))


def run(name: str, clip: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An example in this process, which has imported everything already."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.setattr(sys, "argv", [name, str(clip), str(folder), "--steps", "4", "--frames", "9"])
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")


def frames_of(video: Path) -> np.ndarray:
    with av.open(str(video)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]).astype(np.float32)


def difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).mean())


@pytest.mark.parametrize("name", SCRIPTS)
def test_an_example_is_short_and_says_how_to_run_it(name: str) -> None:
    text = (EXAMPLES / name).read_text("utf8")
    assert len(text.splitlines()) < 40
    assert f"python examples/{name} " in text.split('"""')[1]


def test_the_first_example_draws_the_clip_and_views_beside_it(
    small_clip: Path, example_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("01_reconstruct_and_render.py", small_clip, tmp_path, monkeypatch)
    filmed, drawn, orbit = (frames_of(p) for p in (small_clip, tmp_path / "as_filmed.mp4", tmp_path / "orbit.mp4"))
    assert drawn.shape == filmed.shape == (13, 80, 128, 3)
    assert orbit.shape == (9, 80, 128, 3)
    assert difference(drawn, filmed) < 6
    # The orbit starts and ends where the clip does in time, and elsewhere in space at its end.
    assert difference(orbit[0], filmed[0]) < 8
    assert difference(orbit[-1], filmed[-1]) > 12


def test_time_is_directed(
    small_clip: Path,
    example_cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    run("02_bullet_time.py", small_clip, tmp_path, monkeypatch)
    said = capsys.readouterr().out
    assert "frozen: 81 frames show the clip from 0.50 to 0.50" in said
    # 12 steps of an eighth of a second are 1.5 s; at half the speed and 24 frames a second that is 72 steps.
    assert "slow: 73 frames show the clip from 0.00 to 1.00" in said
    # 0.75 s there, 0.5 s of standing still, 0.75 s back.
    assert "there_and_back: 49 frames show the clip from 0.00 to 0.50" in said
    assert len(frames_of(tmp_path / "there_and_back.mp4")) == 49


def test_a_scene_is_exported(
    small_clip: Path,
    example_cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    run("03_export.py", small_clip, tmp_path, monkeypatch)
    assert (tmp_path / "ply" / "gaussians.ply").stat().st_size > 100_000
    assert (tmp_path / "colmap" / "transforms.json").is_file()
    assert "ply: gaussians.ply, " in capsys.readouterr().out


def test_views_are_refined(
    small_clip: Path,
    example_cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    run("04_refine.py", small_clip, tmp_path, monkeypatch)
    assert frames_of(tmp_path / "refined.mp4").shape == (9, 80, 128, 3)
    share = int(capsys.readouterr().out.rpartition("; ")[2].partition(" %")[0])
    assert 5 < share < 60


def test_an_example_runs_from_anywhere(small_clip: Path, example_cache: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "05_cameras_and_depth.py"), str(small_clip), "out"],
        cwd=tmp_path,
        env=os.environ | {CACHE_VARIABLE: str(example_cache)},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert "confidence: " in done.stdout
    with np.load(tmp_path / "out" / "geometry.npz") as geometry:
        assert geometry["c2w"].shape == (13, 4, 4)
        assert geometry["depth"].shape[1:] == (80, 128)
        assert float(geometry["depth"].min()) > 0


def test_without_a_clip_an_example_makes_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.setattr(sys, "argv", ["example"])
    monkeypatch.chdir(tmp_path)
    from _arguments import arguments, synthetic_clip  # pyright: ignore

    clip = synthetic_clip(tmp_path / "out" / "synthetic", 3, 32, 32)
    made_at = clip.stat().st_mtime_ns
    found = arguments("what it does")
    assert found.clip.resolve() == clip.resolve()
    assert found.clip.stat().st_mtime_ns == made_at
    assert (found.folder, found.steps, found.frames) == (Path("out"), 200, 49)
