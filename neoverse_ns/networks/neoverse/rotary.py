"""Two-dimensional rotary position embedding (Su et al. 2021, RoFormer; axial form of Heo et al. 2024)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

BASE = 100.0
"""Wavelengths grow geometrically from 2 pi to almost 2 pi x this."""


def patch_positions(rows: int, columns: int, specials: int, device: torch.device | None = None) -> Int64[Tensor, "p 2"]:
    """(row, column) of every token of a frame: `specials` ones at (0, 0), then patches row by row from (1, 1)."""
    row = torch.arange(1, rows + 1, device=device).repeat_interleave(columns)
    column = torch.arange(1, columns + 1, device=device).repeat(rows)
    patches = torch.stack([row, column], dim=-1)
    return torch.cat([patches.new_zeros(specials, 2), patches])


@dataclass(frozen=True)
class RotaryTable:
    """Cosine and sine of every token's angles.

    A head's channels are the row's half and the column's half; within each, channel i is rotated with channel i + q
    where q is a quarter of the head's width d.
    """

    cos: Float[Tensor, "n 2 q"]
    sin: Float[Tensor, "n 2 q"]

    @classmethod
    def of(cls, positions: Int64[Tensor, "n 2"], head_dim: int, dtype: torch.dtype = torch.float32) -> RotaryTable:
        """Tables for tokens at the (row, column) `positions` and heads of `head_dim` channels."""
        half = head_dim // 2
        exponent = torch.arange(0, half, 2, device=positions.device).to(dtype) / half
        angles = positions.to(dtype)[..., None] / BASE**exponent
        return cls(angles.cos(), angles.sin())

    def repeat(self, times: int) -> RotaryTable:
        """Tables for the same tokens `times` times in a row."""
        return RotaryTable(self.cos.repeat(times, 1, 1), self.sin.repeat(times, 1, 1))

    def rotate(self, x: Float[Tensor, "b heads n d"]) -> Float[Tensor, "b heads n d"]:
        """Turn queries or keys by their tokens' angles."""
        first, second = x.unflatten(-1, (2, 2, -1)).unbind(-2)
        turned = torch.stack(
            [first * self.cos - second * self.sin, second * self.cos + first * self.sin],
            dim=-2,
        )
        return turned.flatten(-3)
