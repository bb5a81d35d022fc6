"""The network's depth at the frames' own size."""

from __future__ import annotations

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional

from neoverse_ns.reconstruct.bundle.depth.depth_edges import sharpen_edges
from neoverse_ns.reconstruct.bundle.depth.keyframe_depth import CLOSEST, FARTHEST


def full_size_depth(
    depth: Float[Tensor, "k a b"], confidence: Float[Tensor, "k a b"], images: UInt8[Tensor, "k h w 3"]
) -> tuple[Float[Tensor, "k h w"], Float[Tensor, "k h w"]]:
    """Depth and confidence of keyframes, resized, with edges where the images have them.

    Inverse depth is what varies evenly over a plane, so that is interpolated; between two surfaces it leaves values
    that belong to neither, and these go to the side whose colours they share. Depth stays within the bounds of the
    weights-free reconstruction, relative to the median.

    Args:
        depth: At the size the network worked at, positive.
        confidence: In [0, 1].
        images: The keyframes.
    """
    size = tuple(images.shape[1:3])
    inverse = _resized(1 / depth, size)
    middle = float(inverse.median())
    inverse = inverse.clamp(FARTHEST * middle, CLOSEST * middle)
    trust = _resized(confidence, size)
    depths, trusts = [], []
    for value, known, image in zip(inverse, trust, images, strict=True):
        sharp, left = sharpen_edges((1 / value).numpy(), image.numpy())
        depths.append(torch.from_numpy(sharp))
        trusts.append(known * torch.from_numpy(left))
    return torch.stack(depths), torch.stack(trusts)


def _resized(maps: Float[Tensor, "k a b"], size: tuple[int, ...]) -> Float[Tensor, "k h w"]:
    """Bilinear; averaged where the maps shrink. Image corners stay corners."""
    return functional.interpolate(maps[:, None], size, mode="bilinear", align_corners=False, antialias=True)[:, 0]
