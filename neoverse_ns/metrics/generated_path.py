"""How well a generated video's camera follows the path that was asked for, in the three ways that papers report it.

The cameras of the video are whatever an estimator finds in it, which therefore belongs to every figure's name; the
figure includes its errors. All cameras are c2w in OpenCV axes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from neoverse_ns.geometry.alignment import align_sim3
from neoverse_ns.geometry.se3 import se3_inverse, so3_log
from neoverse_ns.metrics.distinct import count_distinct

UNSOLVED_DEGREES = 180.0
"""RotErr of a video of which no cameras could be found."""
UNSOLVED_SHARE = 1.0
"""TransErr of such a video."""
_NO_EXTENT = 1e-6


@dataclass(frozen=True)
class PathAccuracy:
    """Errors of one video's path; less is better.

    Attributes:
        rotation: RotErr, in the unit of the measure.
        translation: TransErr, likewise; NaN where the path asked for leaves the scale open.
        motion: CamMC, of both together; None where the measure has none.
        reason: Why something is NaN; None where nothing is.
    """

    rotation: float
    translation: float
    motion: float | None = None
    reason: str | None = None


Accuracy = Callable[[Float[Tensor, "n 4 4"], Float[Tensor, "n 4 4"]], PathAccuracy]
"""Of estimated cameras and those asked for, of the same frames."""


def camctrl_accuracy(c2w_est: Float[Tensor, "n 4 4"], c2w_ref: Float[Tensor, "n 4 4"]) -> PathAccuracy:
    """`camera-camctrl` (CameraCtrl, He et al., ICLR 2025): sums over frames of angles, radians, and of distances.

    How both are brought to one world and unit was never published, so that no published figure stands beside this one.
    Here cameras are relative to the first, and the estimate has the scale that fits the reference's places best.
    """
    if (reason := _unusable(c2w_est, c2w_ref)) is not None:
        return PathAccuracy(math.nan, math.nan, reason=reason)
    estimate, reference = _from_first(c2w_est), _from_first(c2w_ref)
    rotation = _angles(estimate, reference).sum().item()
    t_est, t_ref = estimate[:, :3, 3], reference[:, :3, 3]
    if (reason := _static(c2w_ref)) is not None:
        return PathAccuracy(rotation, math.nan, reason=reason)
    length = t_est.square().sum()
    # A path can fit best turned around; a scale is never negative all the same.
    scale = ((t_est * t_ref).sum() / length).clamp(min=0) if length > 0 else torch.ones_like(length)
    return PathAccuracy(rotation, (t_ref - scale * t_est).norm(dim=-1).sum().item())


def cami2v_accuracy(c2w_est: Float[Tensor, "n 4 4"], c2w_ref: Float[Tensor, "n 4 4"]) -> PathAccuracy:
    """`camera-cami2v` (CamI2V, Zheng et al., 2024): relative to the first camera, each path's longest translation 1.

    RotErr is the sum over frames of angles in radians, TransErr that of distances, CamMC that of the Frobenius norms of
    the differences of [R | t]. The paper gives means of five runs of its estimator.
    """
    if (reason := _unusable(c2w_est, c2w_ref)) is not None:
        return PathAccuracy(math.nan, math.nan, math.nan, reason)
    estimate, reference = _from_first(c2w_est), _from_first(c2w_ref)
    rotation = _angles(estimate, reference).sum().item()
    if (reason := _static(c2w_ref)) is not None:
        return PathAccuracy(rotation, math.nan, math.nan, reason)
    for c2w in (estimate, reference):
        longest = c2w[:, :3, 3].norm(dim=-1).max()
        c2w[:, :3, 3] /= longest if longest > 0 else 1.0
    difference = (estimate - reference)[:, :3]
    motion = difference.square().sum((-1, -2)).sqrt().sum().item()
    return PathAccuracy(rotation, difference[..., 3].norm(dim=-1).sum().item(), motion)


def redirector_accuracy(c2w_est: Float[Tensor, "n 4 4"], c2w_ref: Float[Tensor, "n 4 4"]) -> PathAccuracy:
    """`camera-redirector` (ReDirector, Park et al., 2025): mean angle of relative rotations, degrees, over all pairs of
    frames; and the mean distance of centres after the best similarity as a share of the path's extent.

    That is the largest distance between two true centres, plus 1e-6.
    """
    if (reason := _unusable(c2w_est, c2w_ref)) is not None:
        return PathAccuracy(math.nan, math.nan, reason=reason)
    estimate, reference = c2w_est.to(torch.float64), c2w_ref.to(torch.float64)
    count = len(reference)
    if count < 2:
        return PathAccuracy(math.nan, math.nan, reason=f"{count} cameras make no pair")
    # A pair has the same angle in both orders.
    i, j = torch.triu_indices(count, count, offset=1, device=reference.device)
    relative = [c2w[i, :3, :3].mT @ c2w[j, :3, :3] for c2w in (estimate, reference)]
    rotation = so3_log(relative[1].mT @ relative[0]).norm(dim=-1).rad2deg().mean().item()
    if (reason := _static(c2w_ref)) is not None:
        return PathAccuracy(rotation, math.nan, reason=reason)
    centres = reference[:, :3, 3]
    aligned = align_sim3(estimate[:, :3, 3], centres).apply_points(estimate[:, :3, 3])
    extent = (centres[i] - centres[j]).norm(dim=-1).max() + _NO_EXTENT
    return PathAccuracy(rotation, ((aligned - centres).norm(dim=-1).mean() / extent).item())


PATH_ACCURACY: Mapping[str, Accuracy] = {
    "camera-camctrl": camctrl_accuracy,
    "camera-cami2v": cami2v_accuracy,
    "camera-redirector": redirector_accuracy,
}
"""By the ids of protocols."""


def _from_first(c2w: Float[Tensor, "n 4 4"]) -> Float64[Tensor, "n 4 4"]:
    c2w = c2w.to(torch.float64)
    return se3_inverse(c2w[:1]) @ c2w


def _angles(a: Float64[Tensor, "n 4 4"], b: Float64[Tensor, "n 4 4"]) -> Float64[Tensor, " n"]:
    return so3_log(a[:, :3, :3] @ b[:, :3, :3].mT).norm(dim=-1)


def _unusable(c2w_est: Float[Tensor, "n 4 4"], c2w_ref: Float[Tensor, "n 4 4"]) -> str | None:
    if not len(c2w_ref):
        return "there are no cameras"
    finite = c2w_est.isfinite().all() and c2w_ref.isfinite().all()
    return None if finite else "a camera is not finite"


def _static(c2w_ref: Float[Tensor, "n 4 4"]) -> str | None:
    places = count_distinct(c2w_ref[:, :3, 3].to(torch.float64), 2)
    return None if places > 1 else "the camera asked for does not move, which leaves the scale open"
