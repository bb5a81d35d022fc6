"""How far away what a hole shows may be: as far as the farther of the surfaces that bound it."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

STEP_COST = 4.0
"""What a step to another row counts, of one along the row: in a picture that stands upright depth changes from row to
row, on the ground at every pixel, more than along a row. In holes of views beside the synthetic clip's path, 8 % of the
median depth away, the mean error of log depth is 0.126; with all directions alike 0.150, along rows alone 0.175."""
ONE_SIDED = 6.0
"""How wide a gap counts that reaches the border of the picture, in units of the way to its only side: what lies between
two sides is surer than what lies beyond one. Measured likewise 2 gives 0.137, and 4 0.128."""
SMOOTHING = 9
"""Side in pixels of the box filter over the depth put into holes, which is found pixel by pixel."""


def depth_behind(depth: Float[Tensor, "h w"], known: Bool[Tensor, "h w"]) -> Float[Tensor, "h w"]:
    """Depth with its holes filled by the farther of the surfaces that bound them, smoothed a little.

    What opens beside a surface when the camera steps aside is what lay behind it. Where the hole is narrowest, among
    row, column and both diagonals, its two sides are looked at: along its length something else may be seen. Where
    nothing at all is known the result is 0.

    Args:
        depth: z-depth, positive where known.
        known: Where it can be trusted.
    """
    known = known & (depth > 0)
    filled = torch.where(known, depth, torch.zeros_like(depth))
    # From a pixel all four lines may miss what is known; they never miss all that is filled then.
    for _ in range(2):
        filled = torch.where(filled > 0, filled, _across_the_narrowest(filled))
    open_ = (~known & (filled > 0)).to(depth.dtype)
    # Averaged among themselves: the rim's nearer side must not pull them to it.
    total = _box(filled.clamp_min(1e-12).log() * open_) / _box(open_).clamp_min(1e-6)
    return torch.where(open_ > 0, total.exp(), filled)


def _across_the_narrowest(depth: Float[Tensor, "h w"]) -> Float[Tensor, "h w"]:
    """For every pixel the farther side of the narrowest gap around it, 0 where there is none; zeros are unknown."""
    width = depth.shape[1]
    mirrored = depth.flip(-1)
    columns = [value.mT for value in _sides(depth.mT)]
    falling = [_straight(value.mT, width) for value in _sides(_skewed(depth).mT)]
    rising = [_straight(value.mT, width).flip(-1) for value in _sides(_skewed(mirrored).mT)]
    lines = [_sides(depth), columns, falling, rising]
    # A diagonal step leaves its row as much as one along a column, and both are one pixel along another axis.
    costs = [1.0, STEP_COST, STEP_COST * 2**0.5, STEP_COST * 2**0.5]
    gaps = torch.stack([cost * gap for cost, (_, gap) in zip(costs, lines, strict=True)])
    farther = torch.stack([side for side, _ in lines])
    return farther.gather(0, gaps.argmin(dim=0, keepdim=True))[0]


def _sides(depth: Float[Tensor, "h w"]) -> tuple[Float[Tensor, "h w"], Float[Tensor, "h w"]]:
    """The larger of the nearest positive values to the left and to the right, and the way from one to the other.

    0 and infinity where there is neither; where there is but one the way is :data:`ONE_SIDED` times that to it.
    """
    left, to_left = _last_positive(depth)
    right, to_right = (value.flip(-1) for value in _last_positive(depth.flip(-1)))
    gap = to_left + to_right
    alone = ONE_SIDED * torch.minimum(to_left, to_right)
    return torch.maximum(left, right), torch.where(gap.isfinite(), gap, alone)


def _last_positive(depth: Float[Tensor, "h w"]) -> tuple[Float[Tensor, "h w"], Float[Tensor, "h w"]]:
    """The last positive value in a row up to every pixel, and how far back it is; 0 and infinity where none is."""
    columns = torch.arange(depth.shape[1], device=depth.device).expand_as(depth)
    place = torch.where(depth > 0, columns, -1).cummax(dim=-1).values
    value = torch.where(place >= 0, depth.gather(-1, place.clamp_min(0)), torch.zeros_like(depth))
    return value, torch.where(place >= 0, (columns - place).to(depth.dtype), torch.inf)


def _skewed(values: Float[Tensor, "h w"]) -> Float[Tensor, "h w+h-1"]:
    """Every row one pixel farther to the right than the one above, so that diagonals become columns; zeros beside."""
    height = values.shape[0]
    return functional.pad(values, (0, height)).reshape(-1)[:-height].reshape(height, -1)


def _straight(values: Float[Tensor, "h s"], width: int) -> Float[Tensor, "h {width}"]:
    """What :func:`_skewed` was given, of that width."""
    height = values.shape[0]
    return functional.pad(values.reshape(-1), (0, height)).reshape(height, -1)[:, :width]


def _box(values: Float[Tensor, "h w"]) -> Float[Tensor, "h w"]:
    """Mean over a window, cut at the borders."""
    return functional.avg_pool2d(
        values[None, None], SMOOTHING, stride=1, padding=SMOOTHING // 2, count_include_pad=False
    )[0, 0]
