"""Reading maps between pixels without mixing what lies at different depths."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

AGREEMENT = 0.02
"""Depths that differ by no more than this share belong to one surface."""


def sample_surface(
    values: Float[Tensor, "h w c"], known: Bool[Tensor, "h w"], depth: Float[Tensor, "h w"], uv: Float[Tensor, "*n 2"]
) -> tuple[
    Float[Tensor, "*n c"],  # values there
    Bool[Tensor, "*n"],  # they are known: the nearest pixel is, and the place lies inside
]:
    """Values at image coordinates: bilinear where the four pixels around show one surface, else of the nearest pixel.

    Args:
        values: At pixel centres.
        known: They mean something.
        depth: z-depth, 0 where unknown; pixels of unknown depth are never mixed.
        uv: Image coordinates, pixel centres at +0.5.
    """
    height, width = depth.shape
    x, y = uv.double().unbind(-1)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    x, y = torch.where(inside, x, 0.5), torch.where(inside, y, 0.5)
    nearest = y.long() * width + x.long()
    left, top = (x - 0.5).floor(), (y - 0.5).floor()
    columns = torch.stack([left, left + 1, left, left + 1], -1).long().clamp(0, width - 1)
    rows = torch.stack([top, top, top + 1, top + 1], -1).long().clamp(0, height - 1)
    across, down = x - 0.5 - left, y - 0.5 - top
    weights = torch.stack([(1 - across) * (1 - down), across * (1 - down), (1 - across) * down, across * down], -1)
    corners = rows * width + columns

    flat, usable = values.double().flatten(0, 1), known.flatten()
    deep = depth.double().flatten()[corners]
    low, high = deep.amin(-1), deep.amax(-1)
    smooth = usable[corners].all(-1) & (low > 0) & (high - low <= AGREEMENT * low)
    mixed = (flat[corners] * weights[..., None]).sum(-2)
    return torch.where(smooth[..., None], mixed, flat[nearest]), usable[nearest] & inside
