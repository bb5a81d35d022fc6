"""`ns-neoverse background` in this process, on a saved scene."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
import torch
from plyfile import PlyData

from neoverse_ns.applications.background.extract import Background
from neoverse_ns.cli.applications.background import tell_unseen
from neoverse_ns.cli.main import entrypoint
from tests.applications.courtyard import HEIGHT, WIDTH, Courtyard
from tests.applications.edit.yard import yard as moving_square
from tests.cli.command_line import fails, run
from tests.e2e.commands import read_video
from tests.generate.refiners.wan.tiny_wan import save_diffusers_layout


def test_a_video_a_picture_and_a_scene_at_once(
    scene: Path, yard: Courtyard, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "background", scene, "--output", "a/empty.mp4", "yard.png", "still.ply", "--wide")
    video = read_video(Path("a/empty.mp4"))
    assert video.shape == (len(yard.frames), HEIGHT, WIDTH, 3)
    picture = cv2.imread("yard.png")
    assert picture is not None
    assert picture.shape[1] >= WIDTH
    assert PlyData.read("still.ply")["vertex"].count > HEIGHT * WIDTH * 0.8
    said = capsys.readouterr().out
    assert "no frame saw uncovered" in said
    assert "9 frames without what moves" in said


def test_the_frame_asked_for(
    scene: Path, yard: Courtyard, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "background", scene, "--output", "one.png", "--frame", "2", "--refiner", "none")
    assert "without what moves, frame 2 of 9" in " ".join(capsys.readouterr().out.split())
    picture = cv2.imread("one.png")
    assert picture is not None
    empty = yard.empty.numpy()[..., ::-1].astype(float)
    errors = [abs(picture.astype(float) - frame).mean() for frame in empty]
    assert min(errors) == errors[2] < 6


@pytest.mark.parametrize("seen", [True, False])
def test_what_was_left_out_is_counted(seen: bool, capsys: pytest.CaptureFixture[str]) -> None:
    scene = moving_square()
    pixels = torch.full((1, 4, 4), seen)
    made = Background(torch.zeros(1, 4, 4, 3, dtype=torch.uint8), pixels, pixels, pixels, scene.gaussians)
    tell_unseen(made, scene)
    told = " ".join(capsys.readouterr().out.split())
    assert "1 moving thing left out; " in told
    assert ("edit RUN --list-things" in told) is not seen


def test_the_video_model_paints_what_nobody_saw(scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = save_diffusers_layout(tmp_path / "model")
    wan = ("--refiner", "wan", "--wan.model", model, "--wan.base", "None", "--wan.device", "cpu")
    path = ("--trajectory", "pan_left", "--angle", "25", "--num-frames", "5")
    run(monkeypatch, "background", scene, "--output", "wan.mp4", *path, *wan, "--wan.steps", "1", "--wan.guidance", "1")
    run(monkeypatch, "background", scene, "--output", "none.mp4", *path, "--refiner", "none")
    painted, plain = (read_video(Path(name)).astype(float) for name in ("wan.mp4", "none.mp4"))
    assert painted.shape == plain.shape == (5, HEIGHT, WIDTH, 3)
    # The last camera looks past the left border of all that was filmed; the first one is the clip's.
    assert abs(painted - plain)[-1, :, : WIDTH // 4].mean() > 10 > abs(painted - plain)[0].mean()


def test_bad_input_ends_in_a_line(
    scene: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "must name files" in fails(monkeypatch, capsys, "background", scene, "--output", "a.mp4", "b.txt")
    assert "picture" in fails(monkeypatch, capsys, "background", scene, "--output", "a.ply", "--wide")
    both = ("--wide", "--frame", "1")
    assert "leave --frame out" in fails(monkeypatch, capsys, "background", scene, "--output", "a.png", *both)
    assert "0 to 8" in fails(monkeypatch, capsys, "background", scene, "--output", "a.png", "--frame", "9")
    assert "tolerance" in fails(monkeypatch, capsys, "background", scene, "--output", "a.png", "--tolerance", "2")
    assert "no such run" in fails(monkeypatch, capsys, "background", "nowhere", "--output", "a.png")


def test_the_help_teaches(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["ns-neoverse", "background", "--help"])
    with pytest.raises(SystemExit):
        entrypoint()
    assert "ns-neoverse background RUN --output" in " ".join(capsys.readouterr().out.split())
