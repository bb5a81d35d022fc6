"""Our own clips as runs: what ns-eval says becomes values by frame, baselines answer what they can."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from neoverse_ns.clip.synthetic import render_synthetic, save_synthetic
from neoverse_ns.errors import ReconstructionError, SettingsError
from neoverse_ns.evaluation.data.clips.folder import BenchmarkClip
from neoverse_ns.evaluation.data.registry import benchmark_data
from neoverse_ns.evaluation.judges.runs.judge import judge_runs
from neoverse_ns.evaluation.methods import run_methods
from neoverse_ns.evaluation.methods.run_methods import Baseline, run_method
from neoverse_ns.evaluation.methods.train_run import TrainSettings, train_arguments
from neoverse_ns.evaluation.protocol.aliases import protocol
from neoverse_ns.metrics.image import psnr
from neoverse_ns.reconstruct.scene import Scene
from tests.plugin.tiny_scene import tiny_scene


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    save_synthetic(render_synthetic(25, 64, 48), folder / "demo")
    return folder


def stand_in(trained: list[tuple[BenchmarkClip, TrainSettings]]) -> Any:
    """Tells what a run of the tiny scene would, without training anything."""
    scene = tiny_scene()

    def train(sample: BenchmarkClip, settings: TrainSettings) -> tuple[dict[str, Any], Scene]:
        trained.append((sample, settings))
        images = [
            {"frame_index": frame, "psnr": 20.0 + frame, "ssim": 0.5, "psnr_dynamic": None if frame == 4 else 10.0}
            for frame in (4, 12, 20)
        ]
        shots = {"psnr": 1.0, "psnr_each": [math.inf, *[18.0] * 24], "ssim_each": [0.4] * 25}
        found = {"train_seconds": 9.0, "train_peak_gb": 2.0, "per_image": images, "right_aligned": shots}
        keyframes = len(scene.geometry.keyframes)
        return found | {"keyframes": {"psnr_each": [40.0] * keyframes}, "protocol": "interleaved-time-m1"}, scene

    return train


def test_held_out_frames_of_a_run(clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[tuple[BenchmarkClip, TrainSettings]] = []
    monkeypatch.setattr(run_methods, "train_and_evaluate", stand_in(trained))
    under = protocol("clips-held-out-m1@1")
    scene = benchmark_data("clips").open(clips, "demo")
    method = run_method("neoverse-quick:steps=3,reconstructor=bundle")
    result = judge_runs(under, scene, under.rule(scene), method, work=tmp_path, seed=7, alexnet=Path("alex.pth"))
    assert result.values["psnr"] == {"4": 24.0, "12": 32.0, "20": 40.0}
    # One frame has no moving pixel: it is counted, and no number.
    assert (len(result.values["psnr-dynamic"]), result.attempted["psnr-dynamic"]) == (2, 3)
    assert "lpips-alex" not in result.values
    assert set(result.values["keyframe-psnr"].values()) == {40.0}
    assert (result.seconds, result.peak_gb) == ({"ns-train": 9.0}, 2.0)
    assert (method.solver, method.settings()["method"]) == ("bundle", "neoverse-quick")
    ((sample, settings),) = trained
    arguments = train_arguments(sample, settings)
    assert arguments[0] == "neoverse-quick"
    given = dict(zip(arguments[1::2], arguments[2::2], strict=True))
    assert given["--max-num-iterations"] == "3"
    assert given["--machine.seed"] == "7"
    assert given["--held-out-every"] == "8"
    assert given["--reconstructor"] == "bundle"
    assert given["--pipeline.model.lpips-weights"] == str(Path("alex.pth").absolute())


def test_a_second_camera_and_frames_that_equal_the_truth(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[tuple[BenchmarkClip, TrainSettings]] = []
    monkeypatch.setattr(run_methods, "train_and_evaluate", stand_in(trained))
    under = protocol("clips-right@1")
    scene = benchmark_data("clips").open(clips, "demo")
    choice = under.rule(scene)
    result = judge_runs(under, scene, choice, run_method("neoverse"), work=tmp_path)
    assert (len(result.values["psnr"]), result.attempted["psnr"]) == (24, 25)
    assert any("psnr: frames 0 are equal to the truth" in note for note in result.skipped)
    shifted = judge_runs(under, scene, choice, run_method("shift"), work=tmp_path)
    assert len(shifted.values["psnr"]) == 25
    with pytest.raises(ReconstructionError, match="flow does not answer this: it interpolates"):
        judge_runs(under, scene, choice, run_method("flow"), work=tmp_path)


def test_baselines_are_scored_on_the_frames_and_masks_of_a_run(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = tiny_scene()
    monkeypatch.setattr(run_methods, "_as_reconstructed", lambda task: scene)
    under = protocol("clips-held-out-m1@1")
    folder = benchmark_data("clips").open(clips, "demo")
    result = judge_runs(under, folder, under.rule(folder), Baseline("repeat"), work=tmp_path)
    frame = scene.split.held_out[0]
    before = max(place for place in scene.split.train if place < frame)
    images = scene.clip.frames.to(torch.float32) / 255
    expected = psnr(images[before], images[frame])
    assert result.values["psnr"][str(int(scene.clip.frame_indices[frame]))] == pytest.approx(expected)
    assert len(result.values["ssim-tm"]) == len(scene.split.held_out)


def test_names() -> None:
    for wrong in ("neoverse3", "repeat:steps=3"):
        with pytest.raises(SettingsError, match="no method"):
            run_method(wrong)
    with pytest.raises(SettingsError, match="steps must be a whole number"):
        run_method("neoverse:steps=few")
    with pytest.raises(SettingsError, match="reconstructor must be auto, bundle"):
        run_method("neoverse:reconstructor=colmap")
