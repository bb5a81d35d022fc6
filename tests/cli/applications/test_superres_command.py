"""`ns-neoverse superres` in this process, on a saved scene."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.applications.courtyard import HEIGHT, WIDTH, Courtyard
from tests.cli.command_line import fails, run
from tests.e2e.commands import read_video
from tests.generate.refiners.wan.tiny_wan import save_diffusers_layout


def test_a_larger_video_is_written(
    scene: Path, yard: Courtyard, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "superres", scene, "--scale", "2", "--output", "big.mp4")
    assert read_video(Path("big.mp4")).shape == (len(yard.frames), 2 * HEIGHT, 2 * WIDTH, 3)
    said = " ".join(capsys.readouterr().out.split())
    assert f"9 frames of {2 * WIDTH}x{2 * HEIGHT}, 2 times the clip's" in said
    assert "of the detail found is kept" in said


def test_the_video_model_finishes_and_the_frames_are_kept(
    scene: Path, yard: Courtyard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = save_diffusers_layout(tmp_path / "model")
    wan = ("--refiner", "wan", "--wan.model", model, "--wan.base", "None", "--wan.device", "cpu")
    short = ("--wan.steps", "1", "--wan.guidance", "1")
    run(monkeypatch, "superres", scene, "--output", "painted.mp4", *wan, *short)
    made = read_video(Path("painted.mp4"))
    small = np.stack([cv2.resize(frame, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA) for frame in made])
    # Of random weights, which paint noise, next to nothing is left.
    assert np.abs(small.astype(float) - yard.frames.numpy()).mean() < 6


def test_bad_input_ends_in_a_line(
    scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "neighbours" in fails(monkeypatch, capsys, "superres", scene, "--output", "a.mp4", "--neighbours", "-1")
    assert "a.txt" in fails(monkeypatch, capsys, "superres", scene, "--output", "a.txt")
    assert "no such run" in fails(monkeypatch, capsys, "superres", "nowhere", "--output", "a.mp4")
    wan = ("--refiner", "wan", "--wan.model", tmp_path / "nothing")
    assert fails(monkeypatch, capsys, "superres", scene, "--output", "a.mp4", *wan)
