"""Frames as VBench's networks want them: resized without antialiasing, rounded to 8 bits, cut, normalised.

As torchvision resizes tensors of 8 bits (`antialias=False`), which VBench relies on: at the pixels' centres, clamped
where cubic weights overshoot, and rounded before anything else.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

SIDE = 224
"""Pixels of the shorter side."""

Normalisation = tuple[tuple[float, float, float], tuple[float, float, float]]
"""Mean and standard deviation of the channels, in [0, 1]."""

IMAGENET: Normalisation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CLIP: Normalisation = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


def for_dino(frame: UInt8[Tensor, "h w 3"], side: int = SIDE) -> Float[Tensor, "1 3 sh sw"]:
    """Shorter side brought to `side` bilinearly, nothing cut."""
    return normalised(shorter_side_to(frame, side, "bilinear"), IMAGENET)


def for_patches(frame: UInt8[Tensor, "h w 3"], patch: int, side: int = SIDE) -> Float[Tensor, "1 3 sh sw"]:
    """As for DINO, but in whole patches: the longer side is brought to the nearest number of them."""
    height, width = frame.shape[:2]
    long = round(side * max(height, width) / min(height, width) / patch) * patch
    size = (long, side) if height > width else (side, long)
    resized = F.interpolate(frame.permute(2, 0, 1)[None].float(), size, mode="bilinear", align_corners=False)
    return normalised(resized.round().to(torch.uint8), IMAGENET)


def for_clip(frame: UInt8[Tensor, "h w 3"], side: int = SIDE) -> Float[Tensor, "1 3 side side"]:
    """Shorter side brought to `side` bicubically, the middle cut out."""
    return normalised(middle(shorter_side_to(frame, side, "bicubic"), side), CLIP)


def shorter_side_to(
    frame: UInt8[Tensor, "h w 3"], side: int, mode: Literal["bilinear", "bicubic"]
) -> UInt8[Tensor, "1 3 sh sw"]:
    """The whole frame at another size; the longer side is cut to whole pixels."""
    height, width = frame.shape[:2]
    long = int(side * max(height, width) / min(height, width))
    size = (long, side) if height > width else (side, long)
    picture = frame.permute(2, 0, 1)[None]
    if size == (height, width):
        return picture
    resized = F.interpolate(picture.float(), size, mode=mode, align_corners=False)
    return resized.clamp(0, 255).round().to(torch.uint8)


def middle(picture: UInt8[Tensor, "1 3 h w"], side: int) -> UInt8[Tensor, "1 3 side side"]:
    """The square in the middle, half a pixel up or left where it does not come out even, to the even number."""
    top, left = (round((size - side) / 2) for size in picture.shape[2:])
    return picture[:, :, top : top + side, left : left + side]


def normalised(picture: UInt8[Tensor, "1 3 h w"], by: Normalisation) -> Float[Tensor, "1 3 h w"]:
    """To [0, 1], less the mean, over the standard deviation."""
    mean, deviation = (torch.tensor(values).view(1, 3, 1, 1) for values in by)
    return (picture.float() / 255 - mean) / deviation
