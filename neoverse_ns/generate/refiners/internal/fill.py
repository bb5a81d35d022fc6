"""Closing holes smoothly: the push-pull pyramid (Gortler et al., The Lumigraph, SIGGRAPH 1996, section 3.4)."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

_LEAST = 1e-6


def push_pull(values: Float[Tensor, "b c h w"], weight: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b c h w"]:
    """Fill what has no weight from its surroundings, near ones first; what has full weight stays exactly.

    Args:
        values: Anything that may be averaged; where the weight is 0 they have no influence.
        weight: Trust in [0, 1]. Values in between are blended with what their surroundings say.

    Returns:
        Values everywhere; zero where the whole image has no weight.
    """
    height, width = values.shape[-2:]
    if height == 1 and width == 1:
        return values * (weight > _LEAST)
    # Sides are made even by repeating nothing: the added rim has no weight.
    rim = (0, width % 2, 0, height % 2)
    mass = functional.pad(weight, rim)
    small_mass = functional.avg_pool2d(mass, 2)
    small = functional.avg_pool2d(functional.pad(values, rim) * mass, 2) / small_mass.clamp_min(_LEAST)
    # Four pixels of half weight are as good as two of full weight: weights add up and saturate.
    below = push_pull(small, (4 * small_mass).clamp_max(1.0))
    up = functional.interpolate(below, scale_factor=2.0, mode="bilinear", align_corners=False)[..., :height, :width]
    return torch.lerp(up, values, weight)


def depth_or_behind(depth: Float[Tensor, "b 1 h w"], alpha: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b 1 h w"]:
    """Depth without holes; holes get what lies behind rather than in front, because that is what uncovers.

    Averages are taken of inverse depth, with weights that prefer the far.

    Args:
        depth: z-depth; 0 where nothing was drawn.
        alpha: Opacity of what was drawn; below one half the depth is not used.
    """
    known = (alpha > 0.5) & (depth > 0)
    inverse = torch.where(known, 1 / depth.clamp_min(_LEAST), torch.zeros_like(depth))
    typical = inverse.sum((2, 3), keepdim=True) / known.sum((2, 3), keepdim=True).clamp_min(1)
    farness = (typical / inverse.clamp_min(_LEAST)).clamp(math.exp(-3), math.exp(3)) ** 2
    trusted = known.to(depth.dtype)
    # Both are filled with the same weights, so that their ratio is a weighted mean with weight `farness`.
    filled = push_pull(torch.cat([inverse * farness, farness], dim=1) * trusted, trusted)
    mean = filled[:, :1] / filled[:, 1:].clamp_min(_LEAST)
    mean = torch.where(mean > _LEAST, mean, torch.ones_like(mean))
    return torch.where(known, depth, 1 / mean)
