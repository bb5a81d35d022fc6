"""ns-neoverse trajectory and render in this process, on a saved scene."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from neoverse_ns.rasterize.layers import draw_layers
from neoverse_ns.reconstruct.store import save_scene
from neoverse_ns.trajectory.moves.choice import Subject
from neoverse_ns.trajectory.moves.registry import DIRECTED
from tests.cli.command_line import fails, run
from tests.e2e.commands import read_video
from tests.plugin.tiny_scene import FRAMES, HEIGHT, WIDTH, tiny_scene


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    save_scene(tiny_scene(), tmp_path / "scene")
    return tmp_path / "scene"


def test_what_is_made_is_rendered_at_any_size_and_time(scene: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    move = ("--trajectory", "orbit:degrees=30,point=0,0,1 + handheld:seed=2")
    run(monkeypatch, "trajectory", "make", scene, *move, "--num-frames", "7", "--output", "a/path.json")
    document = json.loads(Path("a/path.json").read_text())
    assert document["num_frames"] == 7
    size = ("--width", "96", "--fps", "12", "--lossless")
    run(monkeypatch, "render", scene, *move, "--num-frames", "7", *size, "--output", "named.mp4")
    run(monkeypatch, "render", scene, "--trajectory", "a/path.json", *size[:2], "--lossless", "--output", "made.mp4")
    named, made = read_video(Path("named.mp4")), read_video(Path("made.mp4"))
    assert named.shape == (7, 64, 96, 3)
    # Where the hand is depends on the rate that the path was made for.
    assert made.shape == named.shape
    assert np.abs(made[0].astype(int) - named[0].astype(int)).max() <= 1
    frozen = ("--time", "freeze@0.4s", "--num-frames", "3")
    run(monkeypatch, "render", scene, "--trajectory", "static:start=0", *frozen, "--output", "frozen")
    frames = [cv2.imread(f"frozen/0000{i}.png") for i in range(3)]
    assert all((frame == frames[0]).all() for frame in frames)
    assert not Path("frozen/00003.png").exists()


def test_the_clips_own_cameras_draw_what_the_scene_draws(scene: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(monkeypatch, "render", scene, "--trajectory", "static", "--num-frames", str(FRAMES), "--output", "own")
    known = tiny_scene()
    assert known.gaussians is not None
    for i, time in enumerate(known.clip.times.tolist()):
        view = known.geometry.cameras[i : i + 1]
        drawing = draw_layers(known.gaussians, time, view.viewmats, view.K, WIDTH, HEIGHT)
        expected = (drawing.rgb[0].clamp(0, 1) * 255).round().byte().numpy()
        drawn = cv2.imread(f"own/{i:05d}.png")[..., ::-1]
        assert np.abs(drawn.astype(int) - expected.astype(int)).max() <= 1


def test_everything_beside_the_colours(scene: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beside = ("--depth", "npz", "--alpha", "--side-by-side", "--check")
    run(monkeypatch, "render", scene, "--trajectory", "pan_left", "--num-frames", "3", *beside, "--output", "v.mkv")
    assert read_video(Path("v.mkv")).shape == (3, HEIGHT, 2 * WIDTH, 3)
    assert (
        read_video(Path("v_alpha.mkv")).shape == read_video(Path("v_depth_picture.mkv")).shape == (3, HEIGHT, WIDTH, 3)
    )
    with np.load("v_depth.npz") as arrays:
        assert arrays["frame_00002"].shape == (HEIGHT, WIDTH)


def test_validate_tells_problems_and_ends_well(
    scene: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    away = ("--trajectory", "pan_right:angle=170", "--num-frames", "40")
    run(monkeypatch, "trajectory", "validate", scene, *away)
    told = " ".join(capsys.readouterr().out.split())
    assert "40 frames, 2.5 s at 16 per second" in told
    assert "of the picture was never seen (most in frame" in told
    assert "no problem was found" not in told


def test_render_says_what_was_never_seen_and_which_folder_it_made(
    scene: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    away = ("--trajectory", "pan_right:angle=170", "--num-frames", "3", "--output", "no/where/film.mp4")
    assert "no such run" in fails(monkeypatch, capsys, "render", "gone", *away)
    assert not Path("no").exists()
    run(monkeypatch, "render", scene, *away)
    told = " ".join(capsys.readouterr().out.split())
    assert told.count(f"made the folder {Path('no/where').absolute()}") == 1
    assert "at most 100 % of a picture was never seen (frame 2): what stands there is a guess" in told


def test_preview_is_a_picture(scene: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(monkeypatch, "trajectory", "preview", scene, "--trajectory", "crane", "--num-frames", "9", "--output", "p.jpg")
    picture = np.asarray(Image.open("p.jpg"))
    assert picture.shape[1] == 1600
    assert picture.std() > 10


def test_what_cannot_be_used_ends_in_one_line(
    scene: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, tmp_path: Path
) -> None:
    Path("broken.json").write_text("{")
    Path("wrong.json").write_text(json.dumps({"move": "orbit", "time": "sideways"}))
    given = ("trajectory", "validate", scene, "--trajectory")
    assert "broken.json is not valid JSON" in fails(monkeypatch, capsys, *given, "broken.json")
    assert "wrong.json" in fails(monkeypatch, capsys, *given, "wrong.json")
    assert "neither a camera move" in fails(monkeypatch, capsys, *given, "spin")
    assert "no parameter 'angle'" in fails(monkeypatch, capsys, *given, "orbit:angle=3")
    assert "lies outside" in fails(monkeypatch, capsys, *given, "orbit:pixel=99,0,0")
    assert "num_frames must lie" in fails(monkeypatch, capsys, *given, "static", "--num-frames", "0")
    gone = ("trajectory", "make", tmp_path / "gone", "--trajectory", "static")
    assert "no such run" in fails(monkeypatch, capsys, *gone)
    assert "must end in .json" in fails(
        monkeypatch, capsys, "trajectory", "make", scene, "--trajectory", "static", "--output", "a.txt"
    )
    preview = ("trajectory", "preview", scene, "--trajectory", "static", "--output", "a.txt")
    assert "must end in .png" in fails(monkeypatch, capsys, *preview)
    render = ("render", scene, "--trajectory", "static", "--output")
    assert "must end in one of .mp4" in fails(monkeypatch, capsys, *render, "a.gif")
    assert "not an empty folder" in fails(monkeypatch, capsys, *render, scene)
    save_scene(tiny_scene(), tmp_path / "bare", with_gaussians=False)
    assert "holds no Gaussians" in fails(monkeypatch, capsys, "render", tmp_path / "bare", "--trajectory", "static")


@pytest.mark.parametrize("command", [("trajectory", "make"), ("trajectory", "validate"), ("render",)])
def test_help_teaches(command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, *command, "--help")
    assert ended.value.code == 0
    text = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for word in (
        "orbit:degrees=360",
        "dolly_zoom",
        "look_at",
        "handheld",
        "crane",
        "smooth",
        "freeze@1.5s",
        "--align-to",
    ):
        assert word in text
    assert f"ns-neoverse {' '.join(command)}" in text


def test_moves_are_listed_with_all_they_take(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    run(monkeypatch, "trajectory", "moves")
    told = capsys.readouterr().out
    for name, kind in DIRECTED.items():
        paragraph = told[told.index(f"{name}: The ") :].split("\n\n")[0]
        for field in dataclasses.fields(kind):
            assert field.name == "subject" or f"  {field.name}=" in paragraph, (name, field.name)
    for field in dataclasses.fields(Subject):
        assert f"  {field.name}: " in told
    assert "start=clip" in told
    assert "degrees=360.0: How far" in told
