"""Sinusoidal code of a feature map's own geometry, which tells convolutions where in the image they are."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

BASE = 100.0
STRENGTH = 0.1
"""Of the code beside the features it is added to."""


def uv_code(
    channels: int,
    rows: int,
    columns: int,
    aspect: float,
    dtype: torch.dtype = torch.float32,
    device: torch.device | None = None,
) -> Float[Tensor, "{channels} {rows} {columns}"]:
    """Sines then cosines of x, then of y, at the centres of a grid's cells.

    The grid covers a rectangle of diagonal 2 around the origin, that is half a diagonal of 1.

    Args:
        channels: A multiple of 4.
        rows: Cells down.
        columns: Cells across.
        aspect: Width of the image by its height.
        dtype: Of the result; it is computed in double precision.
        device: Where to put it.
    """
    diagonal = (aspect**2 + 1) ** 0.5
    x = _centres(columns, aspect / diagonal, device)
    y = _centres(rows, 1 / diagonal, device)
    across = _waves(x, channels // 2)[:, None, :].expand(-1, rows, -1)
    down = _waves(y, channels // 2)[:, :, None].expand(-1, -1, columns)
    return torch.cat([across, down]).to(dtype)


def add_uv_code(features: Float[Tensor, "n c h w"], aspect: float) -> Float[Tensor, "n c h w"]:
    """`features` plus 0.1 x the code of their grid."""
    _, channels, rows, columns = features.shape
    return features + STRENGTH * uv_code(channels, rows, columns, aspect, features.dtype, features.device)


def _centres(count: int, half: float, device: torch.device | None) -> Float[Tensor, " n"]:
    """Centres of `count` equal cells of [-half, half]."""
    reach = half * (count - 1) / count
    return torch.linspace(-reach, reach, count, dtype=torch.float64, device=device)


def _waves(positions: Float[Tensor, " n"], channels: int) -> Float[Tensor, "c n"]:
    half = channels // 2
    frequency = BASE ** -(torch.arange(half, dtype=torch.float64, device=positions.device) / half)
    phase = frequency[:, None] * positions
    return torch.cat([phase.sin(), phase.cos()])
