"""How many pairs of frames have the right relative pose, at all thresholds up to one: AUC@k."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Float64, Int
from torch import Tensor

from neoverse_ns.geometry.se3 import so3_log
from neoverse_ns.metrics.distinct import STATIC

FAILED = 1e6
"""Error in degrees of a pair of which a camera is missing."""
_AT_ONCE = 2**18


@dataclass(frozen=True)
class PairErrors:
    """Errors of all pairs of frames.

    Attributes:
        degrees: Of every pair (i, j), i < j, by i, then by j: the larger of both errors; `FAILED` where there is none.
        turns: The rotation's alone.
        failed: Pairs without an estimate.
        without_direction: Pairs between which the reference does not move, so that the rotation alone is judged.
    """

    degrees: Float64[Tensor, " pairs"]
    turns: Float64[Tensor, " pairs"]
    failed: int
    without_direction: int

    def auc(self, limit: int) -> float:
        """AUC@limit; NaN where there is no pair."""
        return area_under_curve(self.degrees, limit)


def pair_errors(
    c2w_est: Float[Tensor, "n 4 4"], c2w_ref: Float[Tensor, "n 4 4"], solved: Bool[Tensor, " n"] | None = None
) -> PairErrors:
    """Angles between relative poses, the measure of VGGT (Wang et al., CVPR 2025) and those before it.

    Of every unordered pair of frames: the angle of the rotation by which the relative rotations differ, and the angle
    between the directions from the first camera to the second, seen from the first, folded into [0, 90] as if a
    direction and its opposite were one. No similarity of either side changes them. Where the estimate does not move
    but the reference does the direction is off by 90 degrees. VGGT's own code gives a pair that the reference does not
    move between an arbitrary direction; here it counts by its rotation.

    Args:
        c2w_est: Estimated cameras, OpenCV axes; anything, even NaN, where there is none.
        c2w_ref: Cameras of the same frames.
        solved: Frames that have an estimate; None: those whose estimate is finite.
    """
    estimate, reference = c2w_est.to(torch.float64), c2w_ref.to(torch.float64)
    known = estimate.isfinite().flatten(1).all(1)
    known = known if solved is None else known & solved
    count = len(reference)
    i, j = torch.triu_indices(count, count, offset=1, device=reference.device)
    least = (_round_off(estimate[known]), _round_off(reference))
    estimate = torch.where(known[:, None, None], estimate, torch.eye(4).to(estimate))
    # A part at a time: a long path has millions of pairs.
    parts = [
        _part(estimate, reference, least, *pair) for pair in zip(i.split(_AT_ONCE), j.split(_AT_ONCE), strict=True)
    ]
    turns, angle, moved = (torch.cat(values) for values in zip(*parts, strict=True))
    paired = known[i] & known[j]
    return PairErrors(
        degrees=torch.where(paired, torch.maximum(turns, angle), FAILED),
        turns=torch.where(paired, turns, FAILED),
        failed=int((~paired).sum()),
        without_direction=int((~moved).sum()),
    )


def pose_auc(
    c2w_est: Float[Tensor, "n 4 4"], c2w_ref: Float[Tensor, "n 4 4"], limits: Sequence[int] = (3, 30)
) -> dict[int, float]:
    """AUC of :func:`pair_errors` at each limit; cameras that are not finite count as failed."""
    errors = pair_errors(c2w_est, c2w_ref)
    return {limit: errors.auc(limit) for limit in limits}


def area_under_curve(degrees: Float[Tensor, " pairs"], limit: int) -> float:
    """Mean over j = 1..limit of the share of errors below j degrees, where `limit` itself counts as below; NaN of none.

    The cumulative histogram with edges at whole degrees whose last bin is closed, as VGGT has it.
    """
    if not len(degrees):
        return math.nan
    below = [(degrees < j).to(torch.float64).mean().item() for j in range(1, limit)]
    return (sum(below) + (degrees <= limit).to(torch.float64).mean().item()) / limit


def _part(
    estimate: Float64[Tensor, "n 4 4"],
    reference: Float64[Tensor, "n 4 4"],
    least: tuple[float, float],
    i: Int[Tensor, " pairs"],
    j: Int[Tensor, " pairs"],
) -> tuple[Float64[Tensor, " pairs"], Float64[Tensor, " pairs"], Bool[Tensor, " pairs"]]:
    """Angles of rotations and of directions, degrees, and where the reference moves, of some pairs."""
    (R_est, to_est), (R_ref, to_ref) = (_relative(c2w, i, j) for c2w in (estimate, reference))
    turns = so3_log(R_ref.mT @ R_est).norm(dim=-1).rad2deg()
    stays_est, moved = to_est.norm(dim=-1) <= least[0], to_ref.norm(dim=-1) > least[1]
    cross, dot = torch.linalg.cross(to_est, to_ref).norm(dim=-1), (to_est * to_ref).sum(-1).abs()
    angle = torch.where(stays_est, 90.0, torch.atan2(cross, dot).rad2deg())
    return turns, torch.where(moved, angle, 0.0), moved


def _relative(
    c2w: Float64[Tensor, "n 4 4"], i: Int[Tensor, " pairs"], j: Int[Tensor, " pairs"]
) -> tuple[Float64[Tensor, "pairs 3 3"], Float64[Tensor, "pairs 3"]]:
    """Axes and centre of the second camera in the first one's axes."""
    R, centre = c2w[:, :3, :3], c2w[:, :3, 3]
    return R[i].mT @ R[j], torch.einsum("pba,pb->pa", R[i], centre[j] - centre[i])


def _round_off(c2w: Float64[Tensor, "n 4 4"]) -> float:
    return STATIC * (1 + c2w[:, :3, 3].norm(dim=-1).max().item()) if len(c2w) else 0.0
