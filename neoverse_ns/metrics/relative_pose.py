"""Relative pose error between neighbouring frames as root mean squares, as the tables made with evo have it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.geometry.alignment import align_sim3
from neoverse_ns.geometry.se3 import se3_inverse, so3_log
from neoverse_ns.metrics.distinct import count_distinct


@dataclass(frozen=True)
class RelativePoseError:
    """Errors of single steps; NaN where they are not defined.

    Attributes:
        translation: RPE-t, root mean square of the wrong part of each step's translation, units of the reference.
        rotation: RPE-r, root mean square of the wrong part of each step's turn, degrees.
        reason: Why something is NaN; None where both are defined.
    """

    translation: float
    rotation: float
    reason: str | None = None


def relative_pose_error(c2w_est: Float[Tensor, "n 4 4"], c2w_ref: Float[Tensor, "n 4 4"]) -> RelativePoseError:
    """RPE over all pairs of frames next to each other, after the best similarity of the centres, scale included.

    Sturm et al., IROS 2012; of steps P and Q of the aligned estimate and the reference, Q^-1 P is the error. The
    alignment is undefined with fewer than three distinct centres in the reference: then the translation is NaN, while
    the rotation, which needs no alignment, is given. An estimate that stands still misses the whole step every time.

    Args:
        c2w_est: Estimated cameras, OpenCV axes, any world.
        c2w_ref: Cameras of the same frames.
    """
    estimate, reference = c2w_est.to(torch.float64), c2w_ref.to(torch.float64)
    if len(reference) < 2:
        return RelativePoseError(math.nan, math.nan, f"{len(reference)} cameras make no step")
    if not (estimate.isfinite().all() and reference.isfinite().all()):
        return RelativePoseError(math.nan, math.nan, "a camera is not finite")
    sim3 = align_sim3(estimate[:, :3, 3], reference[:, :3, 3])
    steps = [se3_inverse(c2w[:-1]) @ c2w[1:] for c2w in (sim3.apply_c2w(estimate), reference)]
    error = se3_inverse(steps[1]) @ steps[0]
    turn = so3_log(error[:, :3, :3]).norm(dim=-1).rad2deg().square().mean().sqrt().item()
    places = count_distinct(reference[:, :3, 3])
    if places < 3:
        return RelativePoseError(math.nan, turn, f"{places} distinct places of the reference leave the scale open")
    return RelativePoseError(error[:, :3, 3].square().sum(-1).mean().sqrt().item(), turn)
