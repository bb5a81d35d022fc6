"""Following a point of the scene through time by the motion of the Gaussians around it."""

from __future__ import annotations

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.gaussians.transition import alive_at

NEIGHBOURS = 24
"""Gaussians whose median motion the point shares: few enough to lie on one thing, enough to outvote strays."""
_FAINT = 0.2
"""Opacity below which a Gaussian shows too little to be followed."""
_APART = 1e-5
"""Normalised time below which two moments are one."""


@torch.no_grad()
def follow_point(
    gaussians: DynamicGaussians, point: Float[Tensor, "3"], time: float, times: Float[Tensor, " n"]
) -> Float64[Tensor, "n 3"]:
    """Where a point that is known at one time is at others.

    From moment to moment it moves as the median of the Gaussians that are nearest to it does; where these hand over to
    those of the next keyframe, it goes on with the nearest of them.

    Args:
        gaussians: The layer that moves, of the whole clip.
        point: World units, at `time`.
        time: Normalised.
        times: Wanted, normalised, ascending.

    Returns:
        World units, one place per time.
    """
    wanted = times.to(torch.float64).cpu()
    knots = torch.unique(gaussians.interval[:, 1].to(torch.float64).cpu())
    found = torch.zeros(len(wanted), 3, dtype=torch.float64)
    for forward in (True, False):
        ahead = wanted >= time if forward else wanted < time
        places = {float(t) for t in wanted[ahead]} | {
            float(t) for t in knots if (time < t < wanted.max() if forward else wanted.min() < t < time)
        }
        here, now = point.detach().to(gaussians.means), time
        for moment in sorted(places, reverse=not forward):
            here = here + _motion(gaussians, here, now, moment)
            now = moment
            found[(wanted == moment) & ahead] = here.to(torch.float64).cpu()
    return found


def _motion(gaussians: DynamicGaussians, point: Float[Tensor, "3"], start: float, end: float) -> Float[Tensor, "3"]:
    """How the Gaussians nearest to the point at `start` move until `end`, no keyframe lying between."""
    if abs(end - start) < _APART:
        return torch.zeros_like(point)
    # Those of both keyframes around the gap are alive inside it, at a keyframe only its own.
    inside = start + min(0.5, 1e-3 / abs(end - start)) * (end - start)
    rows = (alive_at(gaussians, inside) & (gaussians.opacities > _FAINT)).nonzero()[:, 0]
    if len(rows) == 0:
        return torch.zeros_like(point)
    places = means_at(gaussians, rows, start)
    nearest = (places - point).square().sum(dim=-1).topk(min(NEIGHBOURS, len(rows)), largest=False).indices
    chosen = rows[nearest]
    return (means_at(gaussians, chosen, end) - places[nearest]).median(dim=0).values


def means_at(gaussians: DynamicGaussians, rows: Int64[Tensor, " m"], time: float) -> Float[Tensor, "m 3"]:
    """Centres of some rows at a time within their life or at its ends."""
    before, at, after = gaussians.interval[rows].unbind(-1)
    later = time > at
    share = torch.where(later, (time - at) / (after - at), (at - time) / (at - before))
    velocity = torch.where(later[:, None], *gaussians.velocities[rows].unbind(1))
    moving = gaussians.dynamic[rows]
    return gaussians.means[rows] + torch.where(moving, share, torch.zeros_like(share))[:, None] * velocity
