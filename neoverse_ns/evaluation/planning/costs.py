"""How long an evaluation will take, from what its parts took on one machine and how fast this one is."""

from __future__ import annotations

import os
import sys
import time
from functools import cache

from neoverse_ns.evaluation.methods.method_text import parse_method
from neoverse_ns.evaluation.protocol.protocol import Choice, Protocol

REFERENCE, REFERENCE_CORES = 0.004, 2
"""Seconds of :func:`_workload` on the AMD EPYC with two cores where the parts were measured."""

SOLVE_FRAME = 0.27
"""Seconds a frame of finding cameras and depth without weights, 384 pixels wide."""
LIFT_FRAME = 1.3
"""Seconds a frame of making Gaussians from them."""
OPTIMISE_STEP = 0.2
"""Seconds a step of photometric optimisation."""
DRAW = 0.1
"""Seconds of drawing one view."""
REFINE_VIEW, TEACH = 0.5, 60.0
"""Seconds a view that a refiner finishes, and of teaching one on the clip."""
TTO_STEP = 0.08
"""Seconds of one step of improving a judged camera."""
FLOW_VIEW = 0.1
"""Seconds of one view that is interpolated along optical flow."""
RENDER_FRAME, SEE_FRAME = 0.2, 0.1
"""Seconds a frame of rendering the demo truly, 384 pixels wide, and of what is measured of a video without networks."""
MATCH_FRAME, MAP_FRAME = 1.0, 1.5
"""Seconds a frame of features and matches, and of mapping, at source resolution."""

MEASURE = {"lpips": 0.25, "mlpips": 0.25, "ssim": 0.05, "mssim": 0.08}
"""Seconds of one picture by the first word of a metric's id, 560x336; others cost next to nothing."""

DEFAULT_STEPS = 500


def scene_seconds(protocol: Protocol, choice: Choice, method: str) -> float:
    """Expected seconds of one scene by one method on this machine; good to a factor of two.

    Args:
        protocol: Under which.
        choice: The scene's frames.
        method: As typed.
    """
    inputs, targets = len(choice.inputs), len(choice.targets)
    name, settings = parse_method(method)
    measuring = targets * sum(MEASURE.get(metric.partition("-")[0], 0.005) for metric in protocol.metrics)
    if protocol.kind == "cameras" or protocol.kind == "depth":
        spent = _cameras(name, inputs)
    elif protocol.cameras == "requested":
        # The video, and the true render of its path.
        spent = 2 * _cameras(name, inputs) + RENDER_FRAME * inputs
    elif protocol.kind == "video":
        spent = SEE_FRAME * inputs + SOLVE_FRAME * inputs * any("bundle" in metric for metric in protocol.metrics)
    elif protocol.kind == "tracks":
        spent = (SOLVE_FRAME + LIFT_FRAME) * inputs
    elif name in ("repeat", "flow"):
        spent = FLOW_VIEW * targets * (name == "flow")
    else:
        spent = _scene(name, settings, inputs) + DRAW * targets
        if protocol.cameras.startswith("predict-all"):
            spent += SOLVE_FRAME * (inputs + targets)
        spent += protocol.tto * TTO_STEP * targets
        if settings.get("refiner", "none") != "none":
            spent += REFINE_VIEW * targets + (TEACH if settings["refiner"] == "internal" else 0)
    return (spent + measuring) * slowness()


def _cameras(name: str, inputs: int) -> float:
    if name in ("colmap", "glomap", "openmvg"):
        return (MATCH_FRAME + MAP_FRAME) * inputs
    return SOLVE_FRAME * inputs


def _scene(name: str, settings: dict[str, str], inputs: int) -> float:
    """Reconstruction and optimisation."""
    if name.endswith("feedforward"):
        steps = 0
    else:
        steps = int(settings.get("steps", DEFAULT_STEPS))
    return (SOLVE_FRAME + LIFT_FRAME) * inputs + OPTIMISE_STEP * steps


@cache
def slowness() -> float:
    """How many times longer this machine takes than the one that the parts were measured on: by the speed of one core,
    and, as not all of the work is shared out, by their number up to four."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or REFERENCE_CORES
    return max(_workload() / REFERENCE, 0.1) * REFERENCE_CORES / min(max(cores, 1), 2 * REFERENCE_CORES)


def _workload() -> float:
    """Seconds of one core for some sums, the best of a few tries; time in which others have the core does not count."""
    best = float("inf")
    for _ in range(5):
        started = time.thread_time()
        sum(number * number for number in range(100_000))
        best = min(best, time.thread_time() - started)
    return best
