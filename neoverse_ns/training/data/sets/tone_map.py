"""Linear colours as a camera would show them."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

PERCENTILE = 90.0
LIFTED_TO = 0.8
"""Where that percentile of brightness comes to lie in the picture."""
GAMMA = 2.2
BRIGHTNESS = (0.3, 0.59, 0.11)
DARKEST = 1e-4
"""A picture whose percentile is below this is shown as black: amplified, it would be noise."""


def tone_mapped(colour: Float[np.ndarray, "h w 3"], counted: Bool[np.ndarray, "h w"] | None) -> UInt8[Tensor, "h w 3"]:
    """HyperSim's tone mapping: one factor for the picture, then gamma (Roberts et al., scene_generate_images_tonemap).

    Args:
        colour: Linear; what is not finite is black.
        counted: Pixels that decide on the factor; None takes all, as does a mask without any.
    """
    linear = np.nan_to_num(colour.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    brightness = linear @ np.array(BRIGHTNESS)
    usable = brightness if counted is None or not counted.any() else brightness[counted]
    middle = float(np.percentile(usable, PERCENTILE))
    factor = 0.0 if middle < DARKEST else LIFTED_TO**GAMMA / middle
    shown = np.clip(factor * linear, 0, None) ** (1 / GAMMA)
    return torch.from_numpy(np.rint(np.clip(shown, 0, 1) * 255).astype(np.uint8))
