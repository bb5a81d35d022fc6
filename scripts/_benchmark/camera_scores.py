"""What the geometry solve finds of a clip's cameras and lens, against the truth."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.undistort import undistorted
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.metrics.camera import ate, rpe_rotation_degrees
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.solve import solve_geometry
from neoverse_ns.reconstruct.split import split_frames

NARROW = 0.1
"""Share of the focal length found by which the ends of a narrow interval lie off it at most."""


def measure_cameras(clip: Clip, truth: PinholeCameras) -> dict[str, Any]:
    """Solve a clip with all its frames for training, and compare.

    Args:
        clip: Frames.
        truth: Their cameras at the clip's size; with the focal length at the middle where the lens bends lines.

    Raises:
        ReconstructionError: The clip cannot be solved.
    """
    started = time.perf_counter()
    geometry = solve_geometry(clip, split_frames(len(clip), held_out_every=0), BundleConfig()).geometry
    return {"seconds": time.perf_counter() - started, **score_cameras(geometry, clip, truth)}


def score_cameras(geometry: SceneGeometry, clip: Clip, truth: PinholeCameras) -> dict[str, Any]:
    """The errors of `geometry`, and what its report says.

    Returns:
        Position error in percent of the true path, or, where that has no length, `travel_percent_of_depth`: the path
        that was found; rotation errors per step; and what :func:`_score_lens` says.
    """
    report, found = geometry.report, geometry.cameras
    path, turn = ate(found.c2w, truth.c2w), rpe_rotation_degrees(found.c2w, truth.c2w)
    result: dict[str, Any] = {
        "kind": report["kind"],
        "ate_percent_of_path": path.percent_of_path,
        "rotation_degrees_per_step": turn.median,
        "rotation_degrees_per_step_mean": turn.mean,
        "confidence": report["confidence"],
        "doubts": list(report["doubts"]),
        "residual_px": report["residual_px"],
        **_score_lens(geometry, clip, truth),
    }
    if path.path_length == 0:
        steps = (found.c2w[1:, :3, 3] - found.c2w[:-1, :3, 3]).double().norm(dim=-1)
        result["travel_percent_of_depth"] = 100 * float(steps.sum()) / float(geometry.depth.median())
    result["trust"] = f"{report['confidence']} ({len(report['doubts'])})" if report["doubts"] else report["confidence"]
    return result


def _score_lens(geometry: SceneGeometry, clip: Clip, truth: PinholeCameras) -> dict[str, Any]:
    """Focal lengths: the mean over the frames against the true mean; and the interval as errors of its ends.

    Frames of a bent lens were straightened. Then the focal length of the lens itself is compared, and the interval,
    which speaks of the straightened frames, with what a pinhole shows of the true lens there.
    """
    report, found = geometry.report, geometry.cameras
    true = truth.K[:, 0, 0].double() / truth.width
    # The geometric mean is what the report's focal length and interval stand for where the lens zooms.
    expected = float(true.log().mean().exp())
    source = report.get("source_lens")
    if source is None:
        error = float((found.K[:, 0, 0].double() / found.width).mean() / true.mean()) - 1
    else:
        focal = source["focal_px"] / clip.width
        error = focal / expected - 1
        _, straight = undistorted(clip, focal, source["radial"])
        # In the middle of the picture straightening is a scaling.
        expected *= straight / focal
    result: dict[str, Any] = {
        "lens": report["lens"],
        "zoom_ratio": report.get("zoom_ratio"),
        "radial": None if source is None else source["radial"],
        "focal_error_percent": 100 * error,
        "focal_from": report["focal_from"],
    }
    return result | _score_interval(report, expected * found.width)


def _score_interval(report: dict[str, Any], expected: float) -> dict[str, Any]:
    """The interval against a true focal length in pixels; nothing where the report has none."""
    ends = report.get("focal_px_interval")
    if ends is None:
        return {}
    low, high = ends[0], math.inf if ends[1] is None else ends[1]
    errors = [100 * (end / expected - 1) for end in (low, high)]
    return {
        "interval_error_percent": errors,
        "interval": " to ".join("∞" if math.isinf(error) else f"{error:+.0f}" for error in errors),
        "interval_holds": low <= expected <= high,
        "interval_narrow": low >= (1 - NARROW) * report["focal_px"] and high <= (1 + NARROW) * report["focal_px"],
    }


def summarise_intervals(scores: Sequence[dict[str, Any]]) -> dict[str, str]:
    """How many of the focal intervals hold the truth, and how many are narrow, as words."""
    told = [score for score in scores if "interval_holds" in score]
    return {
        "focal intervals that hold the truth": _share(told, "interval_holds"),
        f"focal intervals narrower than ±{NARROW:.0%}": _share(told, "interval_narrow"),
    }


def _share(scores: Sequence[dict[str, Any]], name: str) -> str:
    count = sum(bool(score[name]) for score in scores)
    return f"{count} of {len(scores)}" + (f" ({count / len(scores):.0%})" if scores else "")
