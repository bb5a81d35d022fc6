"""Points followed through the clip by the motion of the Gaussians that carry them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.plugin.viewer.recolour import moving

REACH = 0.03
"""How far from where one keyframe's Gaussian arrives the next one's may lie to take over, as a share of the distance
from the first camera."""
COLOUR = 0.2
"""How far colours that differ by one count as apart, in the same measure."""


@dataclass(frozen=True)
class Tracks:
    """Followed points.

    Attributes:
        points: Where each is at every frame, world units.
        known: Whether it could be followed there.
    """

    points: Float[Tensor, "m f 3"]
    known: Bool[Tensor, "m f"]


def follow(gaussians: DynamicGaussians, times: list[float], count: int, seed: int = 0) -> Tracks:
    """Follow some of what moves to both ends of the clip, or until no Gaussian takes over.

    Every point starts at a Gaussian of some keyframe, moves with it to the neighbouring keyframe, and there goes over
    to the moving Gaussian that is nearest in place and colour.

    Args:
        gaussians: The keyframes' own.
        times: Of the frames, normalised, ascending.
        count: About how many points.
        seed: Of their choice.
    """
    gaussians = gaussians.detach().to("cpu")
    gaussians = gaussians[torch.nonzero(moving(gaussians))[:, 0]]
    moments = gaussians.interval[:, 1].unique()
    generator = torch.Generator().manual_seed(seed)
    groups = [torch.nonzero(gaussians.interval[:, 1] == moment)[:, 0] for moment in moments]
    parts = []
    for k, rows in enumerate(groups):
        chosen = rows[torch.randperm(len(rows), generator=generator)[: -(-count // max(len(groups), 1))]]
        points = torch.zeros(len(chosen), len(times), 3)
        known = torch.zeros(len(chosen), len(times), dtype=torch.bool)
        for step in (1, -1):
            _follow_one_way(gaussians, groups, k, chosen, step, times, points, known)
        parts.append(Tracks(points, known))
    if not parts:
        return Tracks(torch.zeros(0, len(times), 3), torch.zeros(0, len(times), dtype=torch.bool))
    return Tracks(torch.cat([part.points for part in parts]), torch.cat([part.known for part in parts]))


def _follow_one_way(
    gaussians: DynamicGaussians,
    groups: list[Int64[Tensor, " _"]],
    k: int,
    rows: Int64[Tensor, " m"],
    step: int,
    times: list[float],
    points: Float[Tensor, "m f 3"],
    known: Bool[Tensor, "m f"],
) -> None:
    """Fill `points` and `known` from keyframe `k` on, forward (`step` 1) or backward (-1)."""
    side, end = (0, 2) if step > 0 else (1, 0)
    which = torch.arange(len(rows))
    while len(which):
        start, interval = gaussians.means[rows], gaussians.interval[rows]
        gap = (interval[:, end] - interval[:, 1]).abs()
        for frame, time in enumerate(times):
            share = (time - interval[:, 1]) * step / gap
            here = (share >= 0) & (share <= 1)
            at = start + share[:, None] * gaussians.velocities[rows, side]
            points[which[here], frame], known[which[here], frame] = at[here], True
        k += step
        if not 0 <= k < len(groups) or len(groups[k]) == 0:
            return
        # Keyframes of movers alone may stand between: whoever's way does not end here cannot go over here.
        arrives = (gaussians.interval[rows, end] - gaussians.interval[groups[k][0], 1]).abs() < 1e-6
        which, rows, start = which[arrives], rows[arrives], start[arrives]
        heirs, near = _heirs(gaussians, rows, start + gaussians.velocities[rows, side], groups[k])
        which, rows = which[near], heirs[near]


def _heirs(
    gaussians: DynamicGaussians,
    rows: Int64[Tensor, " m"],
    places: Float[Tensor, "m 3"],
    candidates: Int64[Tensor, " c"],
) -> tuple[Int64[Tensor, " m"], Bool[Tensor, " m"]]:
    """Who takes over, and whether it is near enough."""
    if len(rows) == 0:
        return rows, torch.zeros(0, dtype=torch.bool)
    distance = places.norm(dim=-1, keepdim=True)
    apart = torch.cdist(places, gaussians.means[candidates]) / distance
    colour = torch.cdist(gaussians.sh[rows, 0], gaussians.sh[candidates, 0])
    best = (apart + COLOUR * REACH * colour).argmin(dim=1)
    return candidates[best], apart.gather(1, best[:, None])[:, 0] < REACH
