"""Least-squares similarity between two point sets."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.geometry import quaternions

_NO_SPREAD = 1e-12
_LINE = 1e-9


@dataclass(frozen=True)
class Sim3:
    """The map x -> scale R x + t, kept in float64; applied in float64 and given back in the input's precision."""

    scale: Float[Tensor, ""]
    R: Float[Tensor, "3 3"]
    t: Float[Tensor, "3"]

    def apply_points(self, points: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch 3"]:
        """Map world points."""
        moved = self.scale * (points.to(torch.float64) @ self.R.mT) + self.t
        return moved.to(points.dtype)

    def apply_c2w(self, c2w: Float[Tensor, "*batch 4 4"]) -> Float[Tensor, "*batch 4 4"]:
        """Map cameras: centres as points, axes turned but not scaled, so that c2w stays a rigid motion."""
        moved = c2w.clone()
        moved[..., :3, :3] = (self.R @ c2w[..., :3, :3].to(torch.float64)).to(c2w.dtype)
        moved[..., :3, 3] = self.apply_points(c2w[..., :3, 3])
        return moved


def align_sim3(
    source: Float[Tensor, "n 3"], target: Float[Tensor, "n 3"], weights: Float[Tensor, " n"] | None = None
) -> Sim3:
    """The similarity that brings `source` closest to `target` in the (weighted) least-squares sense.

    Umeyama, "Least-squares estimation of transformation parameters between two point patterns", PAMI 1991; computed in
    float64. What the points leave open is chosen as close to doing nothing as possible:

    - no points, or no weight: the identity;
    - one point, or no spread in either set: scale 1, no rotation, means matched;
    - two points, or all on a line in either set: the smallest rotation that turns one line into the other.

    Args:
        source: Points to be moved.
        target: Where they should go, in the same order.
        weights: Trust in each pair, not negative; None trusts all alike.
    """
    p, q = source.detach().to(torch.float64), target.detach().to(torch.float64)
    w = torch.ones_like(p[:, 0]) if weights is None else weights.detach().to(torch.float64)
    total = w.sum()
    identity = torch.eye(3, dtype=torch.float64, device=p.device)
    one = torch.ones((), dtype=torch.float64, device=p.device)
    if not total > 0:
        return Sim3(one, identity, torch.zeros_like(identity[0]))
    w = w / total
    p_mean, q_mean = w @ p, w @ q
    p, q = p - p_mean, q - q_mean
    p_spread, q_spread = w @ p.square().sum(-1), w @ q.square().sum(-1)
    if _is_point(p_spread, p_mean) or _is_point(q_spread, q_mean):
        return Sim3(one, identity, q_mean - p_mean)
    U, D, Vh = torch.linalg.svd((q * w[:, None]).mT @ p)
    if D[1] <= _LINE * D[0]:
        R, trace = _turn_onto(Vh[0], U[:, 0]), D[0]
    else:
        # A reflection is never wanted: where the best orthogonal matrix is one, its weakest axis is flipped.
        sign = torch.ones_like(D)
        sign[2] = torch.sign(torch.linalg.det(U) * torch.linalg.det(Vh))
        R, trace = (U * sign) @ Vh, (D * sign).sum()
    scale = trace / p_spread
    return Sim3(scale, R, q_mean - scale * (R @ p_mean))


def align_cameras(source: Float[Tensor, "n 4 4"], target: Float[Tensor, "n 4 4"]) -> Sim3:
    """The similarity that brings the cameras of `source` closest to those of `target`, by place and by direction.

    Centres alone leave the roll around a straight path open. Here every camera also counts with a point on each of its
    axes, as far from its centre as the centres lie from their mean; that distance grows with the scale, so that an
    exact similarity is still found exactly. Where neither path has any extent only directions count, and scale is 1.

    Args:
        source: Camera-to-world matrices to be moved.
        target: Camera-to-world matrices they should meet, in the same order.
    """
    return align_sim3(_tripods(source), _tripods(target))


def _tripods(c2w: Float[Tensor, "n 4 4"]) -> Float[Tensor, "m 3"]:
    """Centres, and a point on every axis."""
    c2w = c2w.detach().to(torch.float64)
    centres = c2w[:, :3, 3]
    spread = (centres - centres.mean(0)).square().sum(-1).mean().sqrt() if len(centres) else centres.new_zeros(())
    reach = torch.where(spread > _NO_SPREAD * (1 + centres.abs().max()), spread, torch.ones_like(spread))
    tips = centres[:, None] + reach * c2w[:, :3, :3].mT
    return torch.cat([centres, tips.reshape(-1, 3)])


def _is_point(spread: Tensor, mean: Tensor) -> bool:
    """Whether the variance is nothing but round-off of the coordinates."""
    return bool(spread <= _NO_SPREAD**2 * (1 + mean.square().sum()))


def _turn_onto(a: Float[Tensor, "3"], b: Float[Tensor, "3"]) -> Float[Tensor, "3 3"]:
    """The smallest rotation taking unit vector `a` to unit vector `b`; half a turn where they are opposite."""
    q = torch.cat([(1 + a @ b)[None], torch.linalg.cross(a, b)])
    if q.norm() < 1e-8:
        least = torch.nn.functional.one_hot(a.abs().argmin(), 3).to(a.dtype)
        q = torch.cat([torch.zeros_like(a[:1]), torch.linalg.cross(a, least)])
    return quaternions.to_matrix(q)
