"""Cameras, focal length and depth against the truth."""

from __future__ import annotations

import time
from typing import Any

from _benchmark.clips import BenchmarkClip
from neoverse_ns.metrics.camera import ate, focal_error_percent, rpe_rotation_degrees
from neoverse_ns.metrics.depth import depth_error
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.solve import solve_geometry
from neoverse_ns.reconstruct.split import split_frames


def measure_geometry(sample: BenchmarkClip) -> dict[str, Any]:
    """Solve the clip with all frames for training, and compare with whatever truth there is.

    Raises:
        ReconstructionError: The clip cannot be solved.
    """
    started = time.perf_counter()
    split = split_frames(len(sample.clip), held_out_every=0)
    geometry = solve_geometry(sample.clip, split, BundleConfig()).geometry
    return {"seconds": time.perf_counter() - started, **compare_geometry(geometry, sample)}


def compare_geometry(geometry: SceneGeometry, sample: BenchmarkClip) -> dict[str, Any]:
    """Errors of `geometry`; only those for which the clip has a truth.

    Positions are compared after one similarity (in percent of the true path), rotations per step in degrees, focal
    lengths in percent, depth (of the keyframes, after one scale for the clip) as mean relative error.
    """
    estimate = geometry.cameras
    solved = estimate.c2w.isfinite().flatten(1).all(dim=1)
    result: dict[str, Any] = {"frames": len(estimate), "solved": int(solved.sum())}
    truth = sample.cameras
    if truth is not None:
        path, turn = ate(estimate.c2w, truth.c2w), rpe_rotation_degrees(estimate.c2w, truth.c2w)
        result["ate_percent_of_path"] = path.percent_of_path
        result["rotation_degrees_per_step"] = turn.median
        result["focal_error_percent"] = focal_error_percent(estimate.K, estimate.width, truth.K, truth.width)
        if path.reason:
            result["ate_note"] = path.reason
    if sample.depth is not None:
        result["depth_abs_rel"] = depth_error(geometry.depth, sample.depth[geometry.keyframes]).abs_rel
    return result
