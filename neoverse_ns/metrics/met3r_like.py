"""Consistency of views in 3D after the idea of MEt3R, with depth and cameras of our own solver.

MEt3R (Asim et al., CVPR 2025) takes point maps of MASt3R for a pair of pictures, upsamples DINO's features by FeatUp,
and gives 1 - their mean cosine where both see the same. None of these networks is needed here: depth and cameras are
given, features are DINO's own patches, or patches of colour where there are no weights. So it is another figure, with
its own names, which carry the features: `met3r-like(bundle,dino)` and `met3r-like(bundle,colour)` compare each with
itself alone, and never with published values of MEt3R.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.metrics.vbench.measure import Frame
from neoverse_ns.metrics.warp import View, warp

Features = Callable[[Frame], Float[Tensor, "h w c"]]
"""Of every pixel of a frame, of any length."""

PATCH = 5
"""Side in pixels of the patches that colour is compared by."""
_FLAT = 1e-3
"""Length of a patch's difference from its mean, colours in [0, 1], below which it shows nothing to compare."""


def inconsistency(
    first: Float[Tensor, "h w c"],
    second: Float[Tensor, "h w c"],
    depth: Float[Tensor, "h w"],
    first_view: View,
    second_view: View,
    counts: Bool[Tensor, "h w"] | None = None,
) -> float:
    """1 - mean cosine of two views' features where the second sees the first's surfaces; 0 is best, NaN without any.

    Args:
        first: Features of the view whose depth is known.
        second: Features of the other.
        depth: z-depth of the first view, in the unit of the cameras.
        first_view: Its camera.
        second_view: The other's, in the same world.
        counts: Pixels of the first view that may be used, those that stand still; None for all.
    """
    warped = warp(first, depth, first_view, second_view, (second.shape[0], second.shape[1]), counts)
    lengths = warped.values.norm(dim=-1) * second.norm(dim=-1)
    usable = warped.explained & (lengths > 0)
    if not usable.any():
        return math.nan
    cosine = (warped.values * second).sum(-1)[usable] / lengths[usable]
    return 1 - cosine.mean(dtype=torch.float64).item()


def colour_patches(frame: Frame) -> Float[Tensor, "h w c"]:
    """What surrounds every pixel, less its mean: as a cosine, the normalised cross-correlation of patches.

    Brightness and contrast do not count; patches that show nothing but one colour are all zero.
    """
    picture = F.pad(frame.permute(2, 0, 1)[None].float() / 255, [PATCH // 2] * 4, mode="replicate")
    height, width = frame.shape[:2]
    patches = F.unfold(picture, PATCH).view(3, PATCH * PATCH, height, width)
    centred = (patches - patches.mean(1, keepdim=True)).flatten(0, 1).permute(1, 2, 0)
    return centred * (centred.norm(dim=-1, keepdim=True) > _FLAT)


def dino_features(patches: Callable[[Frame], Float[Tensor, "rows columns d"]]) -> Features:
    """DINO's patch tokens, brought to every pixel bilinearly."""

    def of(frame: Frame) -> Float[Tensor, "h w c"]:
        tokens = F.normalize(patches(frame), dim=-1).permute(2, 0, 1)[None]
        size = (frame.shape[0], frame.shape[1])
        return F.interpolate(tokens, size, mode="bilinear", align_corners=False)[0].permute(1, 2, 0)

    return of
