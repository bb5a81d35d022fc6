"""Errors of estimated cameras against reference cameras of the same frames; all frames c2w in OpenCV axes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.geometry.alignment import align_sim3
from neoverse_ns.geometry.se3 import so3_log
from neoverse_ns.metrics.distinct import STATIC, count_distinct


@dataclass(frozen=True)
class TrajectoryError:
    """Absolute trajectory error.

    Attributes:
        rmse: Root mean square distance of the camera centres after alignment, units of the reference; NaN if undefined.
        path_length: Sum of the reference's steps, its units.
        percent_of_path: `rmse` as percentage of `path_length`; NaN if undefined.
        scale: Scale of the alignment from estimate to reference; NaN if undefined.
        reason: Why something is NaN or only a bound; None where everything is well defined.
    """

    rmse: float
    path_length: float
    percent_of_path: float
    scale: float
    reason: str | None = None


@dataclass(frozen=True)
class StepRotationError:
    """Rotation error per step, degrees; NaN with a `reason` where there is no step."""

    median: float
    mean: float
    reason: str | None = None


def ate(c2w_est: Float[Tensor, "n 4 4"], c2w_ref: Float[Tensor, "n 4 4"]) -> TrajectoryError:
    """Absolute trajectory error after the best similarity (Sturm et al., IROS 2012; alignment of Umeyama 1991).

    Undefined, hence NaN with a reason, with fewer than 3 cameras, and where the reference has fewer than 3 distinct
    centres (a similarity fits any two) or does not move at all. An estimate that stands still while the reference moves
    has no scale; its error is the spread of the reference around its mean, the value of the best shift.
    """
    estimate, reference = c2w_est[:, :3, 3].to(torch.float64), c2w_ref[:, :3, 3].to(torch.float64)
    if not (estimate.isfinite().all() and reference.isfinite().all()):
        return _undefined(math.nan, "a camera centre is not finite")
    length = (reference[1:] - reference[:-1]).norm(dim=-1).sum().item()
    if len(estimate) < 3:
        return _undefined(length, f"{len(estimate)} cameras, but a similarity needs at least 3 to leave an error")
    if _stands_still(reference):
        return _undefined(length, "the reference camera does not move, which leaves the scale open")
    if (places := count_distinct(reference)) < 3:
        return _undefined(length, f"{places} distinct places of the reference, but a similarity fits any two")
    reason = None
    if _stands_still(estimate):
        estimate = estimate[:1].expand_as(estimate)
        reason = "the estimated camera does not move, which leaves the scale open"
    sim3 = align_sim3(estimate, reference)
    rmse = (sim3.apply_points(estimate) - reference).square().sum(-1).mean().sqrt().item()
    scale = math.nan if reason else sim3.scale.item()
    return TrajectoryError(rmse, length, 100 * rmse / length, scale, reason)


def ate_percent_of_path(c2w_est: Float[Tensor, "n 4 4"], c2w_ref: Float[Tensor, "n 4 4"]) -> float:
    """:func:`ate` as percentage of the reference path's length; NaN where it is undefined."""
    return ate(c2w_est, c2w_ref).percent_of_path


def rpe_rotation_degrees(c2w_est: Float[Tensor, "n 4 4"], c2w_ref: Float[Tensor, "n 4 4"]) -> StepRotationError:
    """Relative pose error between neighbouring cameras, its rotation part; independent of any alignment."""
    if len(c2w_est) < 2:
        return StepRotationError(math.nan, math.nan, f"{len(c2w_est)} cameras make no step")
    if not (c2w_est.isfinite().all() and c2w_ref.isfinite().all()):
        return StepRotationError(math.nan, math.nan, "a camera is not finite")
    steps = []
    for c2w in (c2w_est, c2w_ref):
        R = c2w[:, :3, :3].to(torch.float64)
        steps.append(R[:-1].mT @ R[1:])
    error = so3_log(steps[0].mT @ steps[1]).norm(dim=-1).rad2deg()
    # The mean of the two middle values, unlike torch.median, does not favour the lower one.
    return StepRotationError(error.quantile(0.5).item(), error.mean().item())


def focal_error_percent(
    K_est: Float[Tensor, "n 3 3"], width_est: int, K_ref: Float[Tensor, "m 3 3"], width_ref: int
) -> float:
    """How much too long (positive) or short the estimated horizontal focal length is, in percent.

    Medians over the frames are compared as fractions of the image width, so that the images may differ in size.
    """
    estimate = K_est[:, 0, 0].to(torch.float64).quantile(0.5).item() / width_est
    reference = K_ref[:, 0, 0].to(torch.float64).quantile(0.5).item() / width_ref
    return 100 * (estimate / reference - 1)


def _stands_still(centres: Float[Tensor, "n 3"]) -> bool:
    """Whether the centres differ by nothing but the round-off of their distance from the origin."""
    spread = (centres - centres.mean(0)).norm(dim=-1).max()
    return bool(spread <= STATIC * (1 + centres.norm(dim=-1).max()))


def _undefined(length: float, reason: str) -> TrajectoryError:
    return TrajectoryError(math.nan, length, math.nan, math.nan, reason)
