"""Between what pictures store and the light that it stands for (sRGB, IEC 61966-2-1)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def to_light(stored: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Linear light of values in [0, 1]."""
    return torch.where(stored <= 0.04045, stored / 12.92, ((stored.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4)


def from_light(light: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Stored values in [0, 1]; light beyond white is cut off."""
    light = light.clamp(0, 1)
    return torch.where(light <= 0.0031308, 12.92 * light, 1.055 * light.clamp_min(0.0031308) ** (1 / 2.4) - 0.055)
