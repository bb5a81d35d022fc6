"""Cameras of the given frames against the truth, whoever found them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.errors import NeoVerseError, PackageError
from neoverse_ns.evaluation.data.scene import BenchmarkScene
from neoverse_ns.evaluation.judges.cameras.geometry import compare_cameras, compare_geometry
from neoverse_ns.evaluation.judges.cameras.make_task import JudgedCameras, judged_cameras
from neoverse_ns.evaluation.judges.cameras.task import CameraMethod, CamerasFound
from neoverse_ns.evaluation.protocol.protocol import Choice, Protocol
from neoverse_ns.evaluation.results.scene_result import SceneResult
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.metrics.camera import ate
from neoverse_ns.metrics.pair_auc import pair_errors
from neoverse_ns.metrics.relative_pose import relative_pose_error
from neoverse_ns.trajectory.plain_json import plain

SCENE = "scene"
"""Under which a value stands that is one number for all frames."""

SOLVED = "solved"
"""Id of the frames that were placed: each has the value 1, so that the count stands as N of M."""

POSES, TRUE_POSES = "c2w", "true_c2w"
"""Keys of a result's report with cameras, by which solvers are compared over the frames that all of them placed."""

_OF_COMPARISON = {
    "ate-percent": "ate_percent_of_path",
    "ate-percent-distinct": "ate_percent_distinct",
    "turn": "rotation_degrees_per_step",
    "focal-percent": "focal_error_percent",
    "absrel": "depth_abs_rel",
    "absrel-static": "depth_abs_rel_static",
    "moving-iou": "dynamic_iou",
}
"""Our ids of what is measured of clips, and what :mod:`neoverse_ns.evaluation.judges.cameras.geometry` calls it."""


def judge_cameras(
    protocol: Protocol, scene: BenchmarkScene, choice: Choice, method: CameraMethod, *, work: Path, seed: int = 0
) -> SceneResult:
    """Let a method find the cameras of a scene's inputs, and compare them.

    A method that cannot solve the scene gives a result that says why. A frame without a camera counts as wrong wherever
    pairs of frames are counted; distances are over the others, and `solved` says how many those are.

    Raises:
        PackageError: The method cannot be run here at all.
    """
    judged = judged_cameras(scene, choice, method, work, seed)
    result = SceneResult(scene.name, method.name, [frame.name for frame in choice.inputs])
    result.skipped = [*choice.skipped, *judged.notes]
    result.attempted = dict.fromkeys(protocol.metrics, 1)
    if SOLVED in protocol.metrics:
        result.attempted[SOLVED] = len(judged.task.clip)
    try:
        found = method.solve(judged.task)
    except PackageError:
        raise
    except NeoVerseError as error:
        found = CamerasFound(None, {}, failed=str(error))
    result.seconds, result.peak_gb, result.failed = dict(found.seconds), found.peak_gb, found.failed
    result.report = plain(found.report)
    if judged.truth is not None:
        result.report[TRUE_POSES] = _rows(judged.truth.c2w)
    if found.cameras is not None:
        result.report[POSES] = _rows(found.cameras.c2w)
        _measure(protocol, found, judged, result)
    return result


def over_common_frames(results: Sequence[SceneResult]) -> dict[str, float]:
    """ATE of every method over the frames that all of them placed; NaN where fewer than three are left.

    Args:
        results: Of one scene by several methods; those without an answer, or without a truth, take no part.
    """
    usable = [one for one in results if one.report.get(POSES) and one.report.get(TRUE_POSES)]
    if not usable:
        return {}
    poses = [_matrices(one.report[POSES]) for one in usable]
    common = torch.stack([_placed(one) for one in poses]).all(dim=0)
    truth = _matrices(usable[0].report[TRUE_POSES])
    return {one.method: ate(found[common], truth[common]).rmse for one, found in zip(usable, poses, strict=True)}


def _measure(protocol: Protocol, found: CamerasFound, judged: JudgedCameras, result: SceneResult) -> None:
    """Fill in the values that are finite, and why others are not."""
    cameras, truth = found.cameras, judged.truth
    assert cameras is not None
    placed = _placed(cameras.c2w)
    compared = compare_cameras(cameras, truth)
    result.skipped += [note for note in compared["notes"] if note not in result.skipped]
    if found.geometry is not None and judged.sample is not None:
        compared |= compare_geometry(found.geometry, judged.sample)
    values: dict[str, float] = {
        name: compared[key] for name, key in _OF_COMPARISON.items() if compared.get(key) is not None
    }
    if truth is not None:
        field_values, notes = _field_values(cameras, truth, placed)
        values |= field_values
        result.skipped += [note for note in notes if note not in result.skipped]
    for name in protocol.metrics:
        value = values.get(name, math.nan)
        if math.isfinite(value):
            result.values[name] = {SCENE: value}
    if SOLVED in protocol.metrics:
        frames = [str(number) for number in judged.task.clip.frame_indices.tolist()]
        result.values[SOLVED] = {frame: 1.0 for frame, there in zip(frames, placed.tolist(), strict=True) if there}


def _field_values(
    cameras: PinholeCameras, truth: PinholeCameras, placed: Bool[Tensor, " n"]
) -> tuple[dict[str, float], list[str]]:
    """What the field's tables have: distances over the frames that were placed, pairs over all of them; and why some
    of them are not defined."""
    estimate, true = cameras.c2w.double(), truth.c2w.double()
    path, step = ate(estimate[placed], true[placed]), relative_pose_error(estimate[placed], true[placed])
    pairs = pair_errors(estimate, true, placed)
    notes = [f"{name}: {found.reason}" for name, found in (("ATE", path), ("RPE", step)) if found.reason]
    if pairs.failed:
        notes.append(f"AUC: {pairs.failed} of {len(pairs.degrees)} pairs lack a camera and count as wrong")
    if pairs.without_direction:
        notes.append(f"AUC: between {pairs.without_direction} pairs the true camera does not move; their turn counts")
    values = {"ate": path.rmse, "rpe-t": step.translation, "rpe-r": step.rotation}
    return values | {"auc3": pairs.auc(3), "auc30": pairs.auc(30)}, notes


def _placed(c2w: Float[Tensor, "n 4 4"]) -> Bool[Tensor, " n"]:
    return c2w.isfinite().flatten(1).all(dim=1)


def _rows(c2w: Float[Tensor, "n 4 4"]) -> list[list[float] | None]:
    """The first three rows of every matrix, row by row; None for frames without a camera."""
    flat, placed = c2w[:, :3].flatten(1).tolist(), _placed(c2w).tolist()
    return [row if there else None for row, there in zip(flat, placed, strict=True)]


def _matrices(rows: list[Any]) -> Float[Tensor, "n 4 4"]:
    c2w = torch.eye(4, dtype=torch.float64).repeat(len(rows), 1, 1)
    for place, row in enumerate(rows):
        c2w[place, :3] = math.nan if row is None else torch.tensor(row, dtype=torch.float64).view(3, 4)
    return c2w
