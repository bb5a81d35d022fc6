"""`ns-neoverse superres` in this process, on a saved scene."""

from __future__ import annotations

from pathlib import Path

import pytest

from neoverse_ns.reconstruct.store import save_scene
from tests.applications.courtyard import HEIGHT, WIDTH, Courtyard, courtyard
from tests.cli.test_trajectory_commands import fails, run
from tests.e2e.commands import read_video


@pytest.fixture(scope="module")
def yard() -> Courtyard:
    return courtyard()


@pytest.fixture
def scene(yard: Courtyard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert yard.scene.source is not None
    save_scene(yard.scene.source, tmp_path / "scene")
    return tmp_path / "scene"


def test_a_larger_video_is_written(
    scene: Path, yard: Courtyard, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "superres", scene, "--scale", "2", "--output", "big.mp4")
    assert read_video(Path("big.mp4")).shape == (len(yard.frames), 2 * HEIGHT, 2 * WIDTH, 3)
    said = " ".join(capsys.readouterr().out.split())
    assert f"9 frames of {2 * WIDTH}x{2 * HEIGHT}, 2 times the clip's" in said
    assert "of the detail found is kept" in said


def test_bad_input_ends_in_a_line(
    scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "neighbours" in fails(monkeypatch, capsys, "superres", scene, "--output", "a.mp4", "--neighbours", "-1")
    assert "a.txt" in fails(monkeypatch, capsys, "superres", scene, "--output", "a.txt")
    assert "no such run" in fails(monkeypatch, capsys, "superres", "nowhere", "--output", "a.mp4")
    wan = ("--refiner", "wan", "--wan.model", tmp_path / "nothing")
    assert fails(monkeypatch, capsys, "superres", scene, "--output", "a.mp4", *wan)
