"""Cameras, focal length, depth and motion masks against the truth, and what can be judged without one."""

from __future__ import annotations

import time
from typing import Any

from jaxtyping import Bool
from torch import Tensor

from neoverse_ns.evaluation.data.clips.folder import BenchmarkClip
from neoverse_ns.evaluation.data.clips.windows import ClipWindow
from neoverse_ns.evaluation.results.memory import PeakMemory
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.metrics.camera import ate, focal_error_percent, rpe_rotation_degrees
from neoverse_ns.metrics.depth import depth_error
from neoverse_ns.metrics.steps import distinct_poses, largest_steps
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.solve import solve_geometry
from neoverse_ns.reconstruct.split import split_frames


def measure_geometry(sample: BenchmarkClip) -> dict[str, Any]:
    """Solve the clip with all frames for training, and compare with whatever truth there is.

    Raises:
        ReconstructionError: The clip cannot be solved.
    """
    with PeakMemory() as memory:
        started = time.perf_counter()
        split = split_frames(len(sample.clip), held_out_every=0)
        geometry = solve_geometry(sample.clip, split, BundleConfig()).geometry
        seconds = time.perf_counter() - started
    return {"seconds": seconds, "peak_gb": memory.peak_gb, **compare_geometry(geometry, sample)}


def compare_geometry(geometry: SceneGeometry, sample: BenchmarkClip) -> dict[str, Any]:
    """What is known about `geometry`; errors only where the clip has a truth.

    Cameras as in :func:`compare_cameras`; depth (of the keyframes, after one scale for the clip) as mean relative
    error, over all pixels and over those that do not move, the scale being the ratio of the medians, and over all
    pixels also with the median of the ratios; masks of moving pixels as intersection over union.
    """
    cameras = compare_cameras(geometry.cameras, sample.cameras)
    numbers = (geometry.cameras.c2w, geometry.cameras.K, geometry.depth, geometry.confidence)
    result = {
        **cameras,
        "step_percent_of_depth": 100 * cameras["steps"]["step"] / float(geometry.depth.median()),
        "dynamic_percent": 100 * float(geometry.dynamic.float().mean()),
        "all_finite": all(bool(values.isfinite().all()) for values in numbers),
    }
    moving = None if sample.dynamic is None else sample.dynamic[geometry.keyframes]
    if sample.depth is not None:
        truth = sample.depth[geometry.keyframes]
        everywhere = depth_error(geometry.depth, truth)
        result["depth_abs_rel"] = everywhere.abs_rel
        result["depth_abs_rel_median_ratio"] = depth_error(geometry.depth, truth, alignment="median_ratio").abs_rel
        if moving is not None:
            scaled = geometry.depth * everywhere.scale
            result["depth_abs_rel_static"] = depth_error(scaled, truth, ~moving, alignment="none").abs_rel
    if moving is not None:
        result["dynamic_iou"] = intersection_over_union(geometry.dynamic, moving)
    return result


def compare_cameras(estimate: PinholeCameras, truth: PinholeCameras | None) -> dict[str, Any]:
    """Errors of the cameras that were solved, and their largest steps.

    Positions are compared after one similarity (in percent of the true path through the solved frames), rotations per
    step in degrees, focal lengths in percent. Where the truth repeats poses, positions are compared once more over the
    frames of :func:`distinct_poses` alone.

    Args:
        estimate: Cameras that are not finite count as unsolved.
        truth: Of the same frames; None where unknown.
    """
    solved = estimate.c2w.isfinite().flatten(1).all(dim=1)
    found = estimate[solved]
    result: dict[str, Any] = {"frames": len(estimate), "solved": len(found), "unsolved": len(estimate) - len(found)}
    result |= {"steps": largest_steps(found.c2w), "notes": []}
    if truth is None or len(found) == 0:
        return result
    path, turn = ate(found.c2w, truth.c2w[solved]), rpe_rotation_degrees(found.c2w, truth.c2w[solved])
    result["ate_percent_of_path"] = path.percent_of_path
    result["rotation_degrees_per_step"] = turn.median
    result["focal_error_percent"] = focal_error_percent(found.K, found.width, truth.K, truth.width)
    result["true_steps"] = largest_steps(truth.c2w[solved])
    if path.reason is not None:
        result["notes"].append(f"ATE: {path.reason}")
    distinct = distinct_poses(truth.c2w)
    if not distinct.all():
        subset = distinct & solved
        result["ate_percent_distinct"] = ate(estimate.c2w[subset], truth.c2w[subset]).percent_of_path
    return result


def sample_notes(sample: BenchmarkClip, window: ClipWindow) -> list[str]:
    """What a reader must know about a clip's frames and truth, whoever solves it."""
    notes = []
    if sample.source.is_file() and sample.config.start != window.start:
        notes.append(f"too short for its frames to begin at second {window.start:g}, they begin at second 0")
    if sample.source.is_file() and len(sample.clip) < window.num_frames:
        notes.append(f"{len(sample.clip)} frames where {window.num_frames} were asked for")
    if sample.cameras is not None:
        repeats = int((~distinct_poses(sample.cameras.c2w)).sum())
        if repeats:
            notes.append(f"the truth gives {repeats} of {len(sample.clip)} frames exactly the pose of the next frame")
    return notes


def intersection_over_union(mask: Bool[Tensor, "*batch h w"], truth: Bool[Tensor, "*batch h w"]) -> float:
    """Overlap of two sets of pixels, all images together; NaN where both are empty."""
    return float((mask & truth).sum() / (mask | truth).sum())
