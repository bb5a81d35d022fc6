"""ns-neoverse stabilize and bullet-time in this process, on a saved scene."""

from __future__ import annotations

from pathlib import Path

import pytest

from neoverse_ns.reconstruct.store import save_scene
from tests.cli.command_line import fails, run
from tests.e2e.commands import read_video
from tests.plugin.tiny_scene import FRAMES, HEIGHT, WIDTH, tiny_scene


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    save_scene(tiny_scene(), tmp_path / "scene")
    return tmp_path / "scene"


def test_stabilize_writes_a_video_and_says_how_steady(
    scene: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    run(monkeypatch, "stabilize", scene, "--max-crop", "0.3", "--output", "out/steady.mp4")
    assert read_video(Path("out/steady.mp4")).shape == (FRAMES, HEIGHT, WIDTH, 3)
    told = " ".join(capsys.readouterr().out.split())
    assert "shake before, root mean square: 0." in told
    assert "of width and height cut away" in told
    assert "wrote out/steady.mp4: 9 frames, 10 per second" in told
    run(monkeypatch, "stabilize", scene, "--lock", "--crop", "none", "--refiner", "telea", "--output", "tripod.mp4")
    told = " ".join(capsys.readouterr().out.split())
    assert "from a tripod" in told
    assert "was painted by telea" in told


def test_bullet_time_writes_a_video_and_says_which_moment(
    scene: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    move = ("--trajectory", "push_in", "--num-frames", "4", "--fps", "10")
    run(monkeypatch, "bullet-time", scene, "--at", "0.3s", *move, "--output", "frozen.mp4")
    assert read_video(Path("frozen.mp4")).shape == (4, HEIGHT, WIDTH, 3)
    assert "4 frames, 10 per second, 4 of them at 0.3 s of the clip" in " ".join(capsys.readouterr().out.split())
    run(monkeypatch, "bullet-time", scene, "--at", "0.3s", "--play-around", *move, "--refiner", "telea")
    assert len(read_video(Path("bullet_time.mp4"))) == 3 + 7 + 5


def test_what_cannot_be_used_ends_in_one_line_before_anything_is_loaded(
    scene: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    assert "no such run" in fails(monkeypatch, capsys, "stabilize", "gone")
    assert "either --seconds or --strength" in fails(
        monkeypatch, capsys, "stabilize", "gone", "--seconds", "1", "--strength", "2"
    )
    assert "must end in one of" in fails(monkeypatch, capsys, "stabilize", "gone", "--output", "a.gif")
    assert "refiner" in fails(monkeypatch, capsys, "stabilize", "gone", "--refiner", "magic")
    assert "one moment" in fails(monkeypatch, capsys, "bullet-time", "gone", "--at", "1,2")
    assert "num_frames" in fails(monkeypatch, capsys, "bullet-time", "gone", "--num-frames", "0")
    for moment in ("foo", "150%", "-1s"):
        told = fails(monkeypatch, capsys, "bullet-time", "gone", f"--at={moment}")
        assert told.startswith(f"Error: --at {moment}") or f"got '{moment}'" in told
    assert "--width must be" in fails(monkeypatch, capsys, "bullet-time", "gone", "--width", "3")
    told = fails(monkeypatch, capsys, "bullet-time", scene, "--at", "9s")
    assert told.startswith("Error: --at 9s: '9s' lies behind the end")


@pytest.mark.parametrize("command", ["stabilize", "bullet-time"])
def test_help_teaches(command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, command, "--help")
    assert ended.value.code == 0
    text = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert f"ns-neoverse {command} RUN" in text
    assert "--refiner internal" in text
