"""ns-neoverse in this process: flags, one-line errors, and files written from a cached scene."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from plyfile import PlyData

from neoverse_ns.cli import main
from neoverse_ns.cli.demo import Demo
from neoverse_ns.cli.reconstruct import Reconstruct
from neoverse_ns.cli.weights import Weights
from neoverse_ns.clip.synthetic import render_synthetic, save_synthetic
from neoverse_ns.errors import SettingsError
from neoverse_ns.gaussians.transition import at_time
from neoverse_ns.reconstruct.cache import scene_key
from neoverse_ns.reconstruct.store import save_scene
from tests.cli.command_line import run
from tests.networks.neoverse.tiny import save_released_layout, tiny_network
from tests.plugin.tiny_scene import FRAMES, HEIGHT, WIDTH, tiny_scene


def parse(*arguments: str) -> Reconstruct | Demo | Weights:
    return main.parse(arguments)


def test_reconstruct_takes_the_flags_people_type() -> None:
    flags = ("--start", "1.5", "--duration", "2", "--num-frames", "16", "--width", "320", "--num-keyframes", "5")
    command = parse("reconstruct", "clip.mp4", "--output-dir", "out", *flags, "--cache-dir", "c")
    assert isinstance(command, Reconstruct)
    clip = command.scene.clip
    assert (clip.start, clip.duration, clip.num_frames, clip.width) == (1.5, 2.0, 16, 320)
    assert (command.clip, command.output_dir, command.scene.cache_dir) == (Path("clip.mp4"), Path("out"), Path("c"))
    assert command.scene.num_keyframes == 5
    switched = parse("reconstruct", "clip.mp4", "--output-dir", "out", "--network.low-vram", "True")
    assert isinstance(switched, Reconstruct)
    assert switched.scene.network.low_vram
    # Every frame is used where nothing is going to be measured on the others.
    assert command.scene.held_out_every == 0


def test_the_keyboard_stops_a_command_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(command: Demo) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Demo, "run", interrupted)
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, "demo")
    assert stopped.value.code == 130
    assert capsys.readouterr().out.strip() == "neoverse stopped; what was not finished was not written"


def test_demo_has_the_readmes_defaults() -> None:
    demo = parse("demo")
    assert isinstance(demo, Demo)
    assert (demo.method, demo.num_frames, demo.width, demo.height) == ("neoverse", 25, 384, 224)
    with pytest.raises(SettingsError, match="100x80"):
        Demo(width=100, height=80).run()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("gone.mp4",), "gone.mp4"),
        (("gone.mp4", "--start", "-1"), "start"),
        (("gone.mp4", "--frame-rate", "nan"), "frame_rate"),
        (("gone.mp4", "--held-out-every", "1"), "gone.mp4"),
    ],
)
def test_bad_input_ends_with_one_line_and_code_1(
    arguments: tuple[str, ...],
    named: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, "reconstruct", *arguments, "--output-dir", "out")
    assert ended.value.code == 1
    lines = capsys.readouterr().out.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("Error:")
    assert named in lines[0]
    assert not (tmp_path / "out").exists()


def test_files_of_a_cached_scene(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"only its content's key matters")
    arguments = (
        "reconstruct",
        str(clip),
        "--output-dir",
        str(tmp_path / "out"),
        "--cache-dir",
        str(tmp_path / "cache"),
    )
    command = parse(*arguments)
    assert isinstance(command, Reconstruct)
    scene = tiny_scene()
    save_scene(scene, tmp_path / "cache" / "scenes" / scene_key(clip, command.scene, "cpu"))
    run(monkeypatch, *arguments)
    assert "taken from the cache" in capsys.readouterr().out
    document = json.loads((tmp_path / "out" / "cameras.json").read_text("utf8"))
    assert document["convention"] == "opencv_c2w"
    assert [f["frame_index"] for f in document["frames"]] == [7 + 3 * i for i in range(FRAMES)]
    np.testing.assert_allclose([f["c2w"] for f in document["frames"]], scene.geometry.cameras.c2w.numpy(), atol=1e-6)
    with np.load(tmp_path / "out" / "depth.npz") as depth:
        assert depth["depth"].shape == (len(scene.split.keyframes), HEIGHT, WIDTH)
        np.testing.assert_array_equal(depth["depth"], scene.geometry.depth.numpy())
    assert scene.gaussians is not None
    out = tmp_path / "out"
    whole, instant = (PlyData.read(str(out / name)) for name in ("gaussians_4d.ply", "gaussians.ply"))
    assert len(whole["vertex"]) == scene.gaussians.count
    # The tiny scene has nothing behind its frames' layer, so that all that lives half-way through the clip is written.
    alive = at_time(scene.gaussians.frames, 0.5)
    alive_means = alive.means[alive.opacities >= 1 / 255].numpy()
    np.testing.assert_array_equal(np.stack([instant["vertex"][axis] for axis in "xyz"], axis=-1), alive_means)
    assert "normalised time 0.5, second 0.4 " in instant.comments[0]
    assert len(np.loadtxt(out / "cameras.tum")) == FRAMES
    assert (out / "colmap" / "sparse" / "0" / "images.bin").is_file()
    frames = json.loads((out / "transforms.json").read_text("utf8"))["frames"]
    assert len(frames) == FRAMES
    for frame, truth in zip(frames, scene.clip.frames, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(out / frame["file_path"])), truth.numpy())
    run(monkeypatch, *arguments, "--frame", "0")
    first = PlyData.read(str(out / "gaussians.ply"))
    assert "normalised time 0, second 0 " in first.comments[0]
    assert len(first["vertex"]) == int((at_time(scene.gaussians.frames, 0.0).opacities >= 1 / 255).sum())


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("gone/config.yml",), "gone/config.yml"),
        (("gone", "--time", "1.5"), "1.5"),
        (("gone", "--time", "0.5", "--frame", "3"), "both"),
        (("gone", "--format", "obj"), "'obj'; choose from ply, "),
        (("gone", "--format", "colmap", "--fps", "24"), "no use for --fps"),
    ],
)
def test_export_refuses_in_one_line(
    arguments: tuple[str, ...], named: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, "export", *arguments, "--output-dir", "out")
    assert ended.value.code == 1
    (line,) = capsys.readouterr().out.strip().splitlines()
    assert named in line


def test_the_network_reconstructs_and_says_where_its_weights_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save_synthetic(render_synthetic(4, 64, 48), tmp_path)
    save_released_layout(tiny_network(), tmp_path / "weights")
    monkeypatch.chdir(tmp_path)
    arguments = ("reconstruct", "clip.mp4", "--output-dir", "out", "--cache-dir", "cache", "--reconstructor", "network")
    run(monkeypatch, *arguments, "--network.weights", "weights", "--network.mode", "release")
    document = json.loads((tmp_path / "out" / "cameras.json").read_text("utf8"))
    assert [frame["is_keyframe"] for frame in document["frames"]] == [True] * 4
    assert document["report"]["reconstructor"] == "network"
    assert document["report"]["weights"]["file"] == "reconstructor.ckpt"
    assert "residual" not in capsys.readouterr().out
    run(monkeypatch, *arguments, "--network.weights", "weights/reconstructor.ckpt", "--network.mode", "release")
    assert "taken from the cache" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, *arguments, "--network.weights", "nowhere/reconstructor.ckpt")
    assert ended.value.code == 1
    lines = capsys.readouterr().out.strip().splitlines()
    assert len(lines) == 1
    assert "nowhere/reconstructor.ckpt" in lines[0]
