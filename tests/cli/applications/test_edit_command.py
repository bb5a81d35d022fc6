"""ns-neoverse edit in this process, on a saved scene."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from neoverse_ns.reconstruct.store import load_scene, save_scene
from tests.applications.edit.yard import COUNT, HEIGHT, WIDTH, frames_of, yard
from tests.cli import command_line
from tests.e2e.commands import read_video
from tests.generate.refiners.wan.tiny_wan import save_diffusers_layout


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    source = yard().source
    assert source is not None
    save_scene(source, tmp_path / "scene")
    return tmp_path / "scene"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> None:
    command_line.run(monkeypatch, "edit", *arguments)


def fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, *arguments: str | Path) -> str:
    return command_line.fails(monkeypatch, capsys, "edit", *arguments)


def test_a_thing_is_listed_removed_and_stays_removed(
    scene: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    run(monkeypatch, scene, "--list-things")
    assert "thing 1: " in capsys.readouterr().out
    run(monkeypatch, scene, "--thing", "1", "--remove", "--save-scene", "empty", "--output", "out.mp4", "--save-mask")
    truth, there = (value.numpy() for value in (frames_of(None)[0], frames_of()[1]))
    video = read_video(Path("out.mp4"))
    assert video.shape == (COUNT, HEIGHT, WIDTH, 3)
    error = np.abs(video / 255 - truth)[there].mean()
    assert error < 0.5 * np.abs(frames_of()[0].numpy() - truth)[there].mean()
    assert read_video(Path("out_mask.mp4"))[there].mean() > 200
    saved = load_scene(Path("empty"))
    assert saved.gaussians is not None
    run(monkeypatch, "empty", "--list-things")
    assert "nothing was found to move" in capsys.readouterr().out


def test_a_box_and_a_file_of_edits_say_the_same(scene: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = frames_of()[1][2]
    rows, columns = there.nonzero().unbind(1)
    box = f"{int(columns.min()) - 2},{int(rows.min()) - 2},{int(columns.max()) + 3},{int(rows.max()) + 3}@2"
    run(monkeypatch, scene, "--box", box, "--move", "0", "0.1", "0", "--scale", "0.5", "--output", "flags.mp4")
    edits = [{"target": {"box": box}, "ops": {"translate": [0, 0.1, 0], "scale": 0.5}}]
    Path("edits.json").write_text(json.dumps({"edits": edits}))
    run(monkeypatch, scene, "--edits", "edits.json", "--output", "file.mp4")
    assert np.array_equal(read_video(Path("flags.mp4")), read_video(Path("file.mp4")))


def test_an_edit_is_shown_along_a_path(scene: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = ("--trajectory", "push_in", "--num-frames", "3", "--refiner", "telea")
    run(monkeypatch, scene, "--thing", "1", "--recolour", "blue", *path, "--output", "path.mp4")
    assert read_video(Path("path.mp4")).shape == (3, HEIGHT, WIDTH, 3)


def test_a_prompt_goes_to_the_video_model(scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("diffusers")
    model = save_diffusers_layout(tmp_path / "wan")
    wan = ("--refiner", "wan", "--wan.model", model, "--wan.steps", "2", "--wan.guidance", "1", "--wan.device", "cpu")
    run(monkeypatch, scene, "--thing", "1", "--prompt", "a night.", *wan, "--wan.base", "None", "--output", "p.mp4")
    video, plain = read_video(Path("p.mp4")).astype(int), (frames_of()[0].numpy() * 255).astype(int)
    there = frames_of()[1].numpy()
    away = np.ones_like(there)
    away[:, :, 4:52] = False
    assert np.abs(video - plain)[there].mean() > 20
    assert np.abs(video - plain)[away].mean() < 4


def test_a_thing_known_in_part_of_the_clip_is_told_of(
    scene: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    whole = load_scene(scene)
    assert whole.geometry.things is not None
    things = whole.geometry.things.clone()
    things[-1][things[-1] == 1] = 2
    geometry = dataclasses.replace(whole.geometry, things=things)
    save_scene(dataclasses.replace(whole, geometry=geometry), Path("split"))
    keys = geometry.keyframes
    run(monkeypatch, "split", "--list-things")
    assert "one object may have several numbers" in " ".join(capsys.readouterr().out.split())
    run(monkeypatch, "split", "--thing", "1", "--recolour", "red", "--output", "out.mp4")
    told = " ".join(capsys.readouterr().out.split())
    assert f"thing 1 is known in frames {keys[0]} to {keys[-2]} of {keys[0]} to {keys[-1]} only" in told
    run(monkeypatch, scene, "--thing", "1", "--recolour", "red", "--output", "out.mp4")
    assert "only" not in capsys.readouterr().out


def test_bad_input_ends_in_one_line(
    scene: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    assert "say what is to be edited" in fails(monkeypatch, capsys, scene, "--remove")
    Path("edits.json").write_text(json.dumps({"edits": [{"target": {"thing": 1}, "ops": {"remove": True}}]}))
    both = ("--edits", "edits.json", "--thing", "1", "--move", "0", "1", "0")
    assert "put --thing, --move into its file" in fails(monkeypatch, capsys, scene, *both)
    assert "nothing is to be done" in fails(monkeypatch, capsys, scene, "--thing", "1")
    assert "no moving thing 5" in fails(monkeypatch, capsys, scene, "--thing", "5", "--remove")
    assert "must end in one of" in fails(monkeypatch, capsys, scene, "--thing", "1", "--remove", "--output", "a.txt")
    assert "is there already" in fails(monkeypatch, capsys, scene, "--thing", "1", "--remove", "--save-scene", scene)
    prompt = ("--thing", "1", "--prompt", "a car")
    assert "needs a refiner that paints" in fails(monkeypatch, capsys, scene, *prompt)
    assert "repaints the clip's own" in fails(monkeypatch, capsys, scene, *prompt, "--trajectory", "push_in")
