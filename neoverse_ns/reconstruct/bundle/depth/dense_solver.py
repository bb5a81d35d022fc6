"""Edge-aware smooth maps from scattered cues: the linear solver below dense depth."""

from __future__ import annotations

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional


def solve_smooth(
    value: Float[Tensor, "h w"],
    precision: Float[Tensor, "h w"],
    right: Float[Tensor, "h w-1"],
    down: Float[Tensor, "h-1 w"],
    start: Float[Tensor, "h w"],
    iterations: int,
) -> Float[Tensor, "h w"]:
    """Minimise sum precision (x - value)^2 + sum right (dx/du)^2 + sum down (dx/dv)^2.

    Conjugate gradients with a diagonal preconditioner (Shewchuk 1994, section 12); stopping early only leaves the
    result closer to `start`.

    Args:
        value: Measured map.
        precision: Trust in it, at least 0.
        right: Bond between every pixel and its right neighbour.
        down: Bond between every pixel and the one below.
        start: First guess.
        iterations: Steps to take.
    """

    def apply(x: Tensor) -> Tensor:
        out = precision * x
        across, along = right * (x[:, 1:] - x[:, :-1]), down * (x[1:] - x[:-1])
        out[:, 1:] += across
        out[:, :-1] -= across
        out[1:] += along
        out[:-1] -= along
        return out

    diagonal = precision + functional.pad(right, (1, 0)) + functional.pad(right, (0, 1))
    diagonal = diagonal + functional.pad(down, (0, 0, 1, 0)) + functional.pad(down, (0, 0, 0, 1))
    scale = 1 / diagonal.clamp_min(1e-12)
    x = start.clone()
    rest = precision * value - apply(x)
    direction = scale * rest
    energy = (rest * direction).sum()
    for _ in range(iterations):
        if energy <= 0:
            break
        applied = apply(direction)
        length = energy / (direction * applied).sum().clamp_min(1e-30)
        x += length * direction
        rest -= length * applied
        conditioned = scale * rest
        energy, previous = (rest * conditioned).sum(), energy
        direction = conditioned + (energy / previous) * direction
    return x


def fill(value: Float[Tensor, "h w"], precision: Float[Tensor, "h w"]) -> Float[Tensor, "h w"]:
    """Precision-weighted average over ever larger cells, the smallest cell with cues winning (push-pull).

    Where there is no cues at all the result is zero.
    """
    levels = [(precision * value, precision)]
    while max(levels[-1][1].shape) > 1:
        levels.append((_halved(levels[-1][0]), _halved(levels[-1][1])))
    enough = 0.05 * precision.mean().clamp_min(1e-30)
    filled = levels[-1][0] / levels[-1][1].clamp_min(1e-30)
    for total, weight in reversed(levels[:-1]):
        coarse = functional.interpolate(filled[None, None], weight.shape, mode="bilinear", align_corners=False)[0, 0]
        filled = (total + enough * coarse) / (weight + enough)
    return filled


def image_bonds(image: UInt8[Tensor, "h w 3"]) -> tuple[Float[Tensor, "h w-1"], Float[Tensor, "h-1 w"]]:
    """How alike neighbouring pixels look, in (0, 1]: exp(-colour difference / 10 grey levels)."""
    colour = image.float()
    right = (colour[:, 1:] - colour[:, :-1]).abs().mean(-1)
    down = (colour[1:] - colour[:-1]).abs().mean(-1)
    return torch.exp(-right / 10), torch.exp(-down / 10)


def _halved(a: Tensor) -> Tensor:
    return functional.avg_pool2d(a[None, None], 2, ceil_mode=True, count_include_pad=False)[0, 0]
