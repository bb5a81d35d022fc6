"""Between the clip's pixels and the network's, whose sides are multiples of the patch size."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

PATCH = 14
"""Side of the network's patches in pixels."""

STRETCH = 0.02
"""Relative change of the aspect ratio that costs nothing: training images were rounded to whole patches too."""


@dataclass(frozen=True)
class NetworkSize:
    """Whole frames, scaled to whole patches: nothing is cut off, so that every pixel of the clip gets its depth.

    Attributes:
        clip: Width and height of the clip.
        network: Width and height of what the network sees.
    """

    clip: tuple[int, int]
    network: tuple[int, int]

    @property
    def scale(self) -> tuple[float, float]:
        """Network pixels per clip pixel, along x and y."""
        return self.network[0] / self.clip[0], self.network[1] / self.clip[1]

    def images(self, frames: UInt8[Tensor, "n h w 3"]) -> Float[Tensor, "n 3 nh nw"]:
        """Frames as the network takes them, RGB in [0, 1]."""
        images = frames.permute(0, 3, 1, 2).to(torch.float32) / 255
        if self.clip == self.network:
            return images.contiguous()
        width, height = self.network
        return F.interpolate(images, (height, width), mode="bicubic", antialias=True, align_corners=False).clamp(0, 1)

    def intrinsics_to_clip(self, K: Float[Tensor, "*n 3 3"]) -> Float[Tensor, "*n 3 3"]:
        """Intrinsics in network pixels as intrinsics in clip pixels."""
        return K / K.new_tensor([*self.scale, 1.0])[:, None]

    def intrinsics_to_network(self, K: Float[Tensor, "*n 3 3"]) -> Float[Tensor, "*n 3 3"]:
        """The inverse of :meth:`intrinsics_to_clip`."""
        return K * K.new_tensor([*self.scale, 1.0])[:, None]

    def maps_to_clip(self, maps: Float[Tensor, "n nh nw"]) -> Float[Tensor, "n h w"]:
        """Maps at the clip's resolution, without values between those of two surfaces."""
        return self._nearest(maps, self.clip)

    def maps_to_network(self, maps: Float[Tensor, "n h w"]) -> Float[Tensor, "n nh nw"]:
        """Maps at the network's resolution, likewise."""
        return self._nearest(maps, self.network)

    def _nearest(self, maps: Tensor, size: tuple[int, int]) -> Tensor:
        if maps.shape[-2:] == (size[1], size[0]):
            return maps
        return F.interpolate(maps[:, None], (size[1], size[0]), mode="nearest-exact")[:, 0]


def network_size(width: int, height: int, longest_side: int) -> NetworkSize:
    """The largest size of whole patches within `longest_side` that keeps the aspect ratio to :data:`STRETCH`.

    Where none does (small images), the one that distorts least. Not larger than the clip but for rounding to the
    nearest patch.

    Args:
        width: Of the clip in pixels.
        height: Of the clip in pixels.
        longest_side: Bound for the longer side.
    """
    longer = min(longest_side, max(width, height))
    # One patch more than fits where that is nearer.
    most = max(round(longer / PATCH), 1) if longer < longest_side else max(longest_side // PATCH, 1)
    aspect = width / height
    sizes = []
    for patches in range(most, 0, -1):
        across = patches if aspect >= 1 else max(round(patches * aspect), 1)
        down = patches if aspect < 1 else max(round(patches / aspect), 1)
        sizes.append((abs(across / down / aspect - 1), across * PATCH, down * PATCH))
        # Far below what was asked for, detail is worth more than the last percent of aspect.
        if patches <= 0.85 * most:
            break
    good = [size for size in sizes if size[0] <= STRETCH] or [min(sizes)]
    _, across, down = good[0]
    return NetworkSize((width, height), (across, down))
