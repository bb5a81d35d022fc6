"""Terms that keep velocities together, reversible, and near what flow measured."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from neoverse_ns.gaussians.dynamic import SH_C0, DynamicGaussians
from neoverse_ns.gaussians.rows import select_rows

EDGE = 0.1
"""Difference of colour (mean of the channels, in [0, 1]) across which motion may change freely: the weight of a pair of
neighbours falls to 1/e there."""


@dataclass
class MotionLossConfig:
    """Weights of the terms on velocities, which are measured in the Gaussians' own sizes; 0 leaves a term out.

    All are off: on walking clips, weights of 0.01 changed held-out frames by -0.02 dB (flow) and -0.06 dB (smoothness).
    """

    flow: float = 0.0
    """Squared departure from the velocities that flow gave; where flow was not trusted nothing pulls."""
    smoothness: float = 0.0
    """Difference of the velocities of neighbouring pixels, unless colours differ."""
    reversal: float = 0.0
    """Difference of the velocities toward the next and away from the previous keyframe, per time."""
    share: int = 7
    """One in so many of the Gaussians alive is looked at in a step, others in the next."""

    def any(self) -> bool:
        """Whether any term is wanted."""
        return max(self.flow, self.smoothness, self.reversal) > 0


@dataclass(frozen=True)
class MotionPrior:
    """What lifting knew about motion, in the order of the clip's Gaussians.

    Attributes:
        velocities: As lifted; exactly 0 where flow was not trusted.
        neighbours: Rows of the Gaussians of the pixels to the right and below; -1 where there is none.
    """

    velocities: Float[Tensor, "n 2 3"]
    neighbours: Int64[Tensor, "n 2"]

    def to(self, device: torch.device) -> MotionPrior:
        return MotionPrior(self.velocities.to(device), self.neighbours.to(device))


def pixel_neighbours(
    keyframe: Int64[Tensor, " n"], pixels: Int64[Tensor, "n 2"], width: int, height: int
) -> Int64[Tensor, "n 2"]:
    """Rows of the same keyframe's Gaussians one pixel to the right and one below; -1 where there is none.

    Args:
        keyframe: Number of each Gaussian's keyframe; negative ones have no neighbours.
        pixels: Column and row each Gaussian falls on in its keyframe; outside the image it has no neighbours.
        width: Of the image.
        height: Of the image.
    """
    column, row = pixels.unbind(-1)
    inside = (keyframe >= 0) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    frames = int(keyframe.max()) + 1 if len(keyframe) else 0
    # A margin to the right and below stands for "none", so that neighbours need no test of their own.
    table = torch.full((max(frames, 1), height + 1, width + 1), -1, dtype=torch.int64, device=keyframe.device)
    rows = inside.nonzero().squeeze(-1)
    table[keyframe[rows], row[rows], column[rows]] = rows
    found = torch.full((len(keyframe), 2), -1, dtype=torch.int64, device=keyframe.device)
    found[rows, 0] = table[keyframe[rows], row[rows], column[rows] + 1]
    found[rows, 1] = table[keyframe[rows], row[rows] + 1, column[rows]]
    return found


def motion_losses(
    gaussians: DynamicGaussians,
    alive: Bool[Tensor, " n"],
    step: int,
    prior: MotionPrior,
    config: MotionLossConfig,
) -> dict[str, Float[Tensor, ""]]:
    """Weighted motion terms of one step, by name; gradients reach the velocities alone.

    Only Gaussians alive, which the step draws anyway, are looked at: Adam would move others at full rate, however small
    the term.

    Args:
        gaussians: Those of the whole clip.
        alive: Which of them the step draws.
        step: Decides which of them are looked at.
        prior: See :class:`MotionPrior`.
        config: See :class:`MotionLossConfig`.
    """
    rows = (alive & gaussians.dynamic).nonzero().squeeze(-1)[step % config.share :: config.share].contiguous()
    neighbours = prior.neighbours[rows] if config.smoothness > 0 else prior.neighbours.new_full((len(rows), 2), -1)
    index = torch.unique(torch.cat([rows, neighbours[neighbours >= 0]]))
    velocities = select_rows(gaussians.velocities, index)
    own = torch.searchsorted(index, rows)
    v = velocities[own]
    size = gaussians.log_scales.detach()[rows].exp().mean(-1)[:, None, None]
    losses = {}
    if config.flow > 0:
        known = prior.velocities[rows].abs().sum(-1) > 0
        squares = ((v - prior.velocities[rows]) / size).square().sum(-1)
        losses["flow"] = config.flow * _mean(squares, known)
    if config.smoothness > 0:
        there = neighbours >= 0
        place = torch.searchsorted(index, neighbours.clamp_min(0)).clamp_max(len(index) - 1)
        difference = ((velocities[place] - v[:, None]) / size[:, None]).abs().sum((-1, -2))
        colour = SH_C0 * gaussians.sh.detach()[:, 0]
        edge = (colour[neighbours.clamp_min(0)] - colour[rows][:, None]).abs().mean(-1)
        losses["smoothness"] = config.smoothness * _mean(torch.exp(-edge / EDGE) * difference, there)
    if config.reversal > 0:
        before, at, after = gaussians.interval[rows].unbind(-1)
        # Past the clip's ends nothing was measured.
        both = (before >= 0) & (after <= 1)
        mean_gap = 0.5 * (after - before)[:, None]
        change = mean_gap * (v[:, 0] / (after - at)[:, None] + v[:, 1] / (at - before)[:, None])
        losses["reversal"] = config.reversal * _mean((change / size[:, 0]).abs().sum(-1), both)
    return losses


def _mean(values: Float[Tensor, "*shape"], where: Bool[Tensor, "*shape"]) -> Float[Tensor, ""]:
    """Mean over the places `where` is true; 0 where it never is."""
    return (values * where).sum() / where.sum().clamp_min(1)
