"""Fusion of feature maps of several resolutions, coarse to fine (DPT, Ranftl et al. 2021; RefineNet's units)."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class ResidualUnit(nn.Module):
    """Two rectified convolutions beside a skip.

    The skip carries the rectified input: published weights were trained with a first ReLU that works in place.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(features, features, 3, padding=1)
        self.conv2 = nn.Conv2d(features, features, 3, padding=1)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        x = F.relu(x)
        return self.conv2(F.relu(self.conv1(x))) + x


class FusionBlock(nn.Module):
    """Adds a finer map to a coarser one's result and doubles the resolution, or brings it to a given size."""

    def __init__(self, features: int, residual: bool) -> None:
        super().__init__()
        self.out_conv = nn.Conv2d(features, features, 1)
        if residual:
            self.resConfUnit1 = ResidualUnit(features)
        self.resConfUnit2 = ResidualUnit(features)

    def forward(
        self,
        coarse: Float[Tensor, "n c h w"],
        fine: Float[Tensor, "n c h w"] | None = None,
        size: tuple[int, int] | None = None,
    ) -> Float[Tensor, "n c h2 w2"]:
        x = coarse if fine is None else coarse + self.resConfUnit1(fine)
        x = self.resConfUnit2(x)
        height, width = size or (2 * x.shape[-2], 2 * x.shape[-1])
        # The 1x1 convolution commutes with the interpolation, whose weights sum to one, and is cheaper before it.
        return resize(self.out_conv(x), height, width)


def resize(x: Float[Tensor, "n c h w"], height: int, width: int) -> Float[Tensor, "n c {height} {width}"]:
    """Bilinear interpolation between corner pixels."""
    return F.interpolate(x, size=(height, width), mode="bilinear", align_corners=True)
