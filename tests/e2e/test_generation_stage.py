"""The refinement stage by the real commands: trained, stopped and resumed, evaluated, rendered, exported, generated."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from plyfile import PlyData

from neoverse_ns.gaussians.layers import INPAINTED, LAYERS
from neoverse_ns.reconstruct.store import load_scene
from neoverse_ns.trajectory.camera_path import to_camera_path
from tests.e2e.commands import both, changes, read_video
from tests.e2e.conftest import FRAMES, HEIGHT, HELD_OUT, WIDTH, TrainedRun
from tests.e2e.test_train_eval import strict_json

PHOTOMETRIC, FURTHER = 6, 5
VIEWS = FRAMES - len(HELD_OUT)
STAGE = (
    *("--pipeline.refiner.name", "telea", "--pipeline.refiner.moves", "move_left", "orbit_right"),
    *("--pipeline.refiner.share", "0.5", "--pipeline.refiner.further-steps", str(FURTHER)),
)


def train(run: TrainedRun, name: str, *arguments: str | Path) -> tuple[Path, str]:
    """`ns-train` with the stage on; returns the run folder and what was printed."""
    result = run.shell.succeed(
        *("ns-train", "neoverse", "--data", "clip.mp4", "--held-out-every", "4", "--vis", "tensorboard"),
        *("--output-dir", "refined", "--timestamp", name, *STAGE, *arguments),
    )
    return run.shell.folder / "refined" / "clip" / "neoverse" / name, result.output


@pytest.fixture(scope="module")
def first(run: TrainedRun) -> Path:
    """A few photometric steps, then the stage."""
    folder, output = train(run, "first", "--max-num-iterations", str(PHOTOMETRIC))
    assert f"{2 * VIEWS} refined views train the scene from step {PHOTOMETRIC} on" in output
    return folder


def checkpoint(folder: Path) -> dict:
    (path,) = (folder / "nerfstudio_models").glob("*.ckpt")
    return torch.load(path, map_location="cpu", weights_only=True)


def counts_of(state: dict) -> dict[str, int]:
    """Number of Gaussians in every layer of a checkpoint."""
    return {name: len(state["pipeline"][f"_model.optimisation.layers.{name}.keyframe"]) for name in LAYERS}


def test_the_stage_follows_photometric_refinement_and_keeps_its_frames(first: Path) -> None:
    state = checkpoint(first)
    assert state["step"] == PHOTOMETRIC + FURTHER - 1
    counts = counts_of(state)
    assert counts[INPAINTED] > 50
    moments = state["optimizers"]["sh"]["state"]
    for place, name in enumerate(LAYERS):
        if name in ("frames", INPAINTED):
            assert len(moments[place]["exp_avg"]) == counts[name], name
    assert len(list((first / "refined" / f"step-{PHOTOMETRIC:09d}").glob("*/*.png"))) == 2 * VIEWS
    assert strict_json(first / "training.json")["steps"] == PHOTOMETRIC + FURTHER


def test_everything_after_training_shows_the_result(run: TrainedRun, first: Path) -> None:
    shell, load = run.shell, ("--load-config", first / "config.yml")
    cameras = load_scene(first / "scene").geometry.cameras
    turn = torch.tensor([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
    aside = torch.eye(4)
    aside[0, 3] = 0.15
    path = shell.folder / "aside.json"
    document = to_camera_path(turn @ cameras.c2w @ aside, cameras.K, torch.linspace(0, 1, FRAMES), WIDTH, HEIGHT, 8.0)
    path.write_text(json.dumps(document), "utf8")
    trajectory = shell.folder / "trajectory.json"
    keyframes = [{"0": [{"static": {}}]}, {"4": [{"pan_left": {"angle": 8.0}}]}]
    trajectory.write_text(json.dumps({"num_frames": 5, "zoom_ratio": 1.2, "keyframes": keyframes}), "utf8")
    exported = shell.folder / "stage_export"
    generate = ("ns-neoverse", "generate", *load, "--refiner", "telea")
    both(
        lambda: shell.succeed("ns-eval", *load, "--output-path", "stage.json"),
        lambda: shell.succeed(
            "ns-render", "camera-path", *load, "--camera-path-filename", path, "--output-path", "stage.mp4"
        ),
        lambda: shell.succeed("ns-export", "gaussian-splat", *load, "--output-dir", exported),
        lambda: shell.succeed(*generate, "--trajectory", path, "--output", "along.mp4", "--save-conditions"),
        lambda: shell.succeed(*generate, "--trajectory", "orbit_left", "--num-frames", "5", "--output", "orbit.mp4"),
        lambda: shell.succeed(*generate, "--trajectory", trajectory, "--first-frame", "True", "--output", "file.mp4"),
    )
    results = strict_json(shell.folder / "stage.json")["results"]
    assert results["num_held_out"] == len(HELD_OUT)
    assert results["psnr"] > 20
    vertices = PlyData.read(str(exported / "splat.ply"))["vertex"]
    assert len(vertices) > counts_of(checkpoint(first))[INPAINTED]
    drawn, along = read_video(shell.folder / "stage.mp4"), read_video(shell.folder / "along.mp4")
    assert drawn.shape == along.shape == (FRAMES, HEIGHT, WIDTH, 3)
    # Both stand at the same cameras; only holes are finished in different ways.
    kept = read_video(shell.folder / "along_mask.mp4").min(axis=-1) > 200
    assert 0.5 < kept.mean() < 0.999
    assert np.abs(drawn.astype(float) - along)[kept].mean() < 10
    assert np.abs(read_video(shell.folder / "along_render.mp4").astype(float) - along)[kept].mean() < 6
    assert read_video(shell.folder / "along_depth.mp4").std() > 10
    seconds = strict_json(shell.folder / "along_report.json")["seconds"]
    assert seconds["total"] == pytest.approx(seconds["reconstruction"] + seconds["generation"])
    assert seconds["generation_parts"]["drawing"] > 0
    for name in ("orbit", "file"):
        video = read_video(shell.folder / f"{name}.mp4")
        assert video.shape == (5, HEIGHT, WIDTH, 3)
        assert changes(video).min() > 0.5
    assert np.abs(read_video(shell.folder / "file.mp4")[0].astype(float) - run.frames[0]).mean() < 6


def test_a_resumed_run_goes_on_with_its_refined_frames(run: TrainedRun, first: Path) -> None:
    folder, output = train(
        run,
        "resumed",
        "--load-dir",
        first / "nerfstudio_models",
        "--max-num-iterations",
        "3",
        "--logging.steps-per-log",
        "1",
    )
    assert f"{2 * VIEWS} refined views taken from" in output
    assert "train the scene from" not in output
    before, after = checkpoint(first), checkpoint(folder)
    assert after["step"] == before["step"] + 3
    assert counts_of(before) == counts_of(after)
    names = [sorted(p.name for p in (f / "refined").rglob("*.png")) for f in (first, folder)]
    assert names[0] == names[1]


def test_a_stage_that_cannot_work_ends_before_training(run: TrainedRun) -> None:
    start = ("ns-train", "neoverse", "--data", "clip.mp4", "--held-out-every", "4", "--vis", "tensorboard")
    where = ("--output-dir", "refined", "--timestamp", "refused")
    lines: list[str] = []
    both(
        lambda: lines.append(run.shell.fail(*start, *where, "--pipeline.refiner.name", "magic")),
        lambda: lines.append(
            run.shell.fail(
                "ns-neoverse", "generate", "--load-config", "gone.yml", "--trajectory", "static", "--output", "a.mp4"
            )
        ),
    )
    assert any("magic" in line and "internal" in line for line in lines)
    assert any("gone.yml" in line for line in lines)
