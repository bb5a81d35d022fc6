"""The main job as users run it: ns-train and ns-eval in their own processes, then the run drawn from new cameras."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neoverse_ns.errors import RunError
from neoverse_ns.evaluation.data.clips.folder import BenchmarkClip
from neoverse_ns.evaluation.data.clips.windows import HELD_OUT_EVERY, TRACKING, Tracking
from neoverse_ns.evaluation.judges.runs.measure_run import measure_run
from neoverse_ns.evaluation.results.memory import peak_of
from neoverse_ns.reconstruct.scene import Scene

LONGEST = 1800
"""Seconds after which a command counts as stuck."""
LOOK_EVERY = 0.1
"""Seconds between looks at a running command."""


@dataclass(frozen=True)
class TrainSettings:
    """How every clip is trained.

    Attributes:
        method: Registered method.
        seed: Of the training.
        output_dir: Where run folders go.
        tracking: Which source frames between the sampled ones are followed.
        steps: Steps of the training; None leaves them to the method.
        held_out_every: One frame in so many is held out; 0 holds out none.
        flags: Others of `ns-train`, by name without the dashes.
    """

    method: str
    seed: int
    output_dir: Path
    tracking: Tracking = TRACKING["m1"]
    steps: int | None = None
    held_out_every: int = HELD_OUT_EVERY
    flags: Mapping[str, str] = field(default_factory=dict)


def train_and_evaluate(sample: BenchmarkClip, settings: TrainSettings) -> tuple[dict[str, Any], Scene]:
    """Train on exactly the sample's frames, evaluate the held-out ones, and compare with whatever truth there is.

    Every reconstruction is made afresh, so that the seconds are those of a first run.

    Returns:
        The measurements: seconds, memory, what `ns-eval` says, and what :func:`measure_run` finds; and what the run
        was trained on.

    Raises:
        RunError: A command failed; its last lines are in the message.
    """
    name = settings.tracking.name
    run = settings.output_dir / sample.name / settings.method / name
    started = time.perf_counter()
    peak_gb = command("ns-train", *train_arguments(sample, settings, name))
    seconds = time.perf_counter() - started
    metrics = run / "metrics.json"
    command("ns-eval", "--load-config", str(run / "config.yml"), "--output-path", str(metrics))
    results = json.loads(metrics.read_text("utf8"))["results"]
    measured, scene = measure_run(run / "config.yml", sample)
    return {"train_seconds": seconds, "train_peak_gb": peak_gb, **results, **measured}, scene


def train_arguments(sample: BenchmarkClip, settings: TrainSettings, run: str = "run") -> list[str]:
    """What `ns-train` is given to train on exactly the sample's frames, in the run folder called `run`."""
    config = sample.config
    arguments = {
        "output-dir": settings.output_dir,
        "experiment-name": sample.name,
        "timestamp": run,
        "vis": "tensorboard",
        "machine.seed": settings.seed,
        "data": sample.source,
        "start": config.start,
        "duration": config.duration,
        "num-frames": config.num_frames,
        "width": sample.clip.width,
        "held-out-every": settings.held_out_every,
        "cache-dir": settings.output_dir / sample.name / "cache",
    }
    if settings.tracking.name != "m1":
        arguments["tracking"] = settings.tracking.flag
    if settings.steps is not None:
        arguments["max-num-iterations"] = settings.steps
    arguments |= settings.flags
    flags = [part for name, value in arguments.items() for part in (f"--{name}", str(value))]
    return [settings.method, *flags]


def command(name: str, *arguments: str) -> float | None:
    """Run a console script of this environment.

    Returns:
        The most memory that it held, in 10^9 bytes; None where the system does not tell.

    Raises:
        RunError: There is no such script, it failed, or it took too long.
    """
    script = Path(sys.executable).with_name(name)
    started, peak_gb = time.perf_counter(), None
    with tempfile.TemporaryFile("w+", encoding="utf8", errors="replace") as output:
        try:
            process = subprocess.Popen([str(script), *arguments], stdout=output, stderr=subprocess.STDOUT)
        except FileNotFoundError as error:
            message = f"{script} does not exist: install neoverse_ns into the environment of this Python"
            raise RunError(message) from error
        with process:
            while process.poll() is None:
                # The system keeps the peak itself, so that looking now and then misses next to nothing.
                peak_gb = peak_of(Path(f"/proc/{process.pid}")) or peak_gb
                if time.perf_counter() - started > LONGEST:
                    process.kill()
                    raise RunError(f"{name} took more than {LONGEST} s")
                time.sleep(LOOK_EVERY)
        if process.returncode != 0:
            output.seek(0)
            last = "\n".join(output.read().strip().splitlines()[-15:])
            raise RunError(f"{name} failed with exit code {process.returncode}:\n{last}")
    return peak_gb
