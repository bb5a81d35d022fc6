"""Fewer Gaussians, those first that are missed least."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor


def worth(
    opacities: Float[Tensor, " m"], scales: Float[Tensor, "m 3"], distances: Float[Tensor, " m"]
) -> Float[Tensor, " m"]:
    """Opacity times the area that each covers in a picture taken from `distances` away, up to a constant factor."""
    largest = scales.sort(dim=-1, descending=True).values
    return opacities * largest[:, 0] * largest[:, 1] / distances.clamp_min(1e-6).square()


def most_worth(worths: Float[Tensor, " m"], count: int) -> Int64[Tensor, " k"]:
    """Positions of the `count` largest, ascending; of equals the first."""
    if len(worths) <= count:
        return torch.arange(len(worths), device=worths.device)
    return worths.argsort(descending=True, stable=True)[:count].sort().values
