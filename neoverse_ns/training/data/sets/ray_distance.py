"""Depth that was measured along each pixel's ray."""

from __future__ import annotations

import torch
from jaxtyping import Float32, Float64
from torch import Tensor

from neoverse_ns.geometry.projection import pixel_centres


def z_depth(distance: Float64[Tensor, "h w"], K: Float64[Tensor, "3 3"]) -> Float32[Tensor, "h w"]:
    """z-depth of surfaces whose distance from the camera's centre is known.

    Args:
        distance: In any unit; what is not finite stays so.
        K: Intrinsics in pixels, pixel centres at +0.5.
    """
    height, width = distance.shape
    pixels = pixel_centres(height, width, torch.float64)
    ray = (pixels - K[:2, 2]) / torch.stack([K[0, 0], K[1, 1]])
    return (distance / (1 + ray.square().sum(-1)).sqrt()).float()
