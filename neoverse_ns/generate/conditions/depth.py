"""Depth as the video model's encoder takes it."""

from __future__ import annotations

from math import floor

import torch
from jaxtyping import Float
from torch import Tensor

FAR_PERCENTILE = 0.98
"""Depth at this quantile of the whole clip is mapped to 1, and what lies farther with it."""


def normalise_depth(depth: Float[Tensor, "n h w"]) -> Float[Tensor, "n h w"]:
    """Depth over its 98th percentile over all pixels of all frames, from [0, 1] mapped to [-1, 1] and clamped.

    Free of the scene's unit. Where nothing was drawn at all the result is -1.
    """
    far = quantile(depth, FAR_PERCENTILE)
    if not far > 0:
        return torch.full_like(depth, -1.0)
    return (2 * depth / far - 1).clamp(-1, 1)


def quantile(values: Float[Tensor, "*any"], q: float) -> Float[Tensor, ""]:
    """Linearly interpolated quantile, as `torch.quantile` has it for at most 16 million values."""
    flat = values.reshape(-1)
    place = q * (flat.numel() - 1)
    below = floor(place)
    lower = flat.kthvalue(below + 1).values
    upper = flat.kthvalue(min(below + 2, flat.numel())).values
    return torch.lerp(lower, upper, place - below)
