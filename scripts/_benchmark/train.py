"""The main job as a user runs it: ns-train and ns-eval in processes of their own, then the run drawn from new cameras."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from _benchmark.clips import BenchmarkClip
from _benchmark.protocols import HELD_OUT_EVERY
from _benchmark.views import Draw, score_right
from jaxtyping import Float, UInt8
from torch import Tensor

from neoverse_ns.errors import RunError
from neoverse_ns.geometry.cameras import PinholeCameras

LONGEST = 1800
"""Seconds after which a command counts as stuck."""


@dataclass(frozen=True)
class TrainSettings:
    """How every clip is trained.

    Attributes:
        method: Registered method.
        seed: Of the training.
        output_dir: Where run folders go.
    """

    method: str
    seed: int
    output_dir: Path


def train_and_evaluate(sample: BenchmarkClip, settings: TrainSettings) -> dict[str, Any]:
    """Train on exactly the sample's frames, evaluate the held-out ones, and draw the right camera where there is one.

    Every reconstruction is made afresh, so that the seconds are those of a first run.

    Raises:
        RunError: A command failed; its last lines are in the message.
    """
    run = settings.output_dir / sample.name / settings.method / "run"
    started = time.perf_counter()
    _command("ns-train", *_train_arguments(sample, settings))
    seconds = time.perf_counter() - started
    metrics = run / "metrics.json"
    _command("ns-eval", "--load-config", str(run / "config.yml"), "--output-path", str(metrics))
    results = json.loads(metrics.read_text("utf8"))["results"]
    result: dict[str, Any] = {"train_seconds": seconds, **results}
    if sample.right_frames is not None:
        left, draw = open_run(run / "config.yml")
        result |= score_right(sample, left, draw)
    return result


def open_run(config: Path) -> tuple[PinholeCameras, Draw]:
    """Load a finished run.

    Returns:
        The refined cameras of all sampled frames, and a function that draws the run in the same world.
    """
    # Importing nerfstudio takes seconds, which measuring geometry alone should not cost.
    from nerfstudio.utils.eval_utils import eval_setup

    from neoverse_ns.plugin.model import NeoVerseModel
    from neoverse_ns.plugin.world import to_nerfstudio_cameras
    from neoverse_ns.rasterize.scene import draw

    _, pipeline, _, _ = eval_setup(config, test_mode="val")
    model, scene = pipeline.model, pipeline.datamanager.dataparser.scene  # pyright: ignore[reportAttributeAccessIssue]
    assert isinstance(model, NeoVerseModel)
    cameras = scene.geometry.cameras
    everything = to_nerfstudio_cameras(cameras, scene.clip.times, list(range(len(cameras))))
    with torch.no_grad():
        viewmats = model.camera_optimizer.refined_viewmats(everything.to(model.device)).cpu()
    left = PinholeCameras(torch.linalg.inv(viewmats), cameras.K, cameras.width, cameras.height)

    @torch.no_grad()
    def draw_run(views: PinholeCameras, times: Float[Tensor, " n"]) -> UInt8[Tensor, "n h w 3"]:
        images = []
        for i, moment in enumerate(times.tolist()):
            view = views[i : i + 1]
            drawing = draw(
                model.gaussians,
                moment,
                view.viewmats.to(model.device),
                view.K.to(model.device),
                view.width,
                view.height,
                nearest_only=model.config.nearest_keyframe_only,
                gamma=model.config.life_span_gamma,
                rasterize_mode=model.config.rasterize_mode,
            )
            images.append((drawing.rgb[0].clamp(0, 1) * 255).round().to(torch.uint8).cpu())
        return torch.stack(images)

    return left, draw_run


def _train_arguments(sample: BenchmarkClip, settings: TrainSettings) -> list[str]:
    config = sample.config
    arguments = {
        "output-dir": settings.output_dir,
        "experiment-name": sample.name,
        "timestamp": "run",
        "vis": "tensorboard",
        "machine.seed": settings.seed,
        "data": sample.source,
        "start": config.start,
        "duration": config.duration,
        "num-frames": config.num_frames,
        "width": sample.clip.width,
        "held-out-every": HELD_OUT_EVERY,
        "cache-dir": settings.output_dir / sample.name / "cache",
    }
    flags = [part for name, value in arguments.items() for part in (f"--{name}", str(value))]
    return [settings.method, *flags]


def _command(name: str, *arguments: str) -> None:
    """Run a console script of this environment."""
    script = Path(sys.executable).with_name(name)
    try:
        done = subprocess.run([str(script), *arguments], capture_output=True, text=True, timeout=LONGEST)
    except FileNotFoundError as error:
        raise RunError(f"{script} does not exist: install neoverse_ns into the environment of this Python") from error
    except subprocess.TimeoutExpired as error:
        raise RunError(f"{name} took more than {LONGEST} s") from error
    if done.returncode != 0:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise RunError(f"{name} failed with exit code {done.returncode}:\n{last}")
