"""Losses of resolution and of coding."""

from __future__ import annotations

import io

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

LEAST_SIDE = 8
"""Pixels that a side keeps."""


def smaller(pictures: Float[Tensor, "k 3 h w"], scale: float) -> Float[Tensor, "k 3 h2 w2"]:
    """Fewer pixels, each the mean of what it covers."""
    height, width = (max(LEAST_SIDE, round(scale * side)) for side in pictures.shape[-2:])
    size = (min(height, pictures.shape[-2]), min(width, pictures.shape[-1]))
    return interpolate(pictures, size, mode="bilinear", align_corners=False, antialias=True)


def enlarged(pictures: Float[Tensor, "k 3 h w"], height: int, width: int) -> Float[Tensor, "k 3 {height} {width}"]:
    """Back to a size, smooth."""
    if pictures.shape[-2:] == (height, width):
        return pictures
    return interpolate(pictures, (height, width), mode="bicubic", align_corners=False).clamp(0, 1)


def coded(pictures: Float[Tensor, "k 3 h w"], quality: int) -> Float[Tensor, "k 3 h w"]:
    """Through JPEG and back, with the chroma of half the size that files and videos have.

    Args:
        pictures: In [0, 1]; rounded to 256 levels first.
        quality: 1 to 100.
    """
    levels = (pictures.clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
    back = np.empty_like(levels)
    for index, level in enumerate(levels):
        file = io.BytesIO()
        Image.fromarray(level).save(file, "jpeg", quality=quality, subsampling="4:2:0")
        back[index] = np.asarray(Image.open(file))
    return torch.from_numpy(back).permute(0, 3, 1, 2).to(pictures.dtype) / 255
