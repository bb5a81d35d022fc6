"""LPIPS as a figure (Zhang et al., CVPR 2018, version 0.1), from local files only; AlexNet's unless said otherwise.

See :mod:`neoverse_ns.metrics.perceptual` for how it is computed; seeds stay as they are
(`test_lpips_needs_no_torchvision_and_leaves_seeds_alone`).
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from neoverse_ns.metrics.perceptual import ALEXNET, Backbone, PerceptualNetwork
from neoverse_ns.metrics.perceptual_weights import load_perceptual

SMALLEST_SIDE = ALEXNET.smallest_side
"""Images with a shorter side vanish inside AlexNet."""


class LPIPS:
    """Perceptual distance of two images: 0 for equal ones, about 0.7 for unrelated ones.

    Args:
        network: Compares images.
    """

    def __init__(self, network: PerceptualNetwork) -> None:
        self._network = network

    @torch.no_grad()
    def __call__(
        self, a: Float[Tensor, "h w 3"], b: Float[Tensor, "h w 3"], mask: Bool[Tensor, "h w"] | None = None
    ) -> float:
        """Distance of two RGB images in [0, 1]; NaN where the mask is empty or a side vanishes inside the backbone.

        With a mask this is the mLPIPS of DyCheck (Gao et al., NeurIPS 2022): both images are black outside it, the
        distances of every layer are resized to the image, and their sum is averaged over the mask.
        """
        if self._undefined(a, mask):
            return math.nan
        if mask is not None:
            a, b = a * mask[..., None], b * mask[..., None]
        first, second = torch.stack([a, b]).permute(0, 3, 1, 2).split(1)
        if mask is None:
            return sum(layer.mean(dtype=torch.float64).item() for layer in self._network.layers(first, second))
        return self._network.distance_map(first, second)[0][mask].mean(dtype=torch.float64).item()

    @torch.no_grad()
    def by_layers(self, a: Float[Tensor, "h w 3"], b: Float[Tensor, "h w 3"], mask: Bool[Tensor, "h w"]) -> float:
        """The masked distance of NSFF (Li et al., CVPR 2021): nothing is blackened, and every layer's map is averaged
        over the mask resized to it by nearest neighbours.

        A layer in which nothing is left of the mask adds nothing, as there. NaN as in :meth:`__call__`.
        """
        if self._undefined(a, mask):
            return math.nan
        first, second = torch.stack([a, b]).permute(0, 3, 1, 2).split(1)
        total = 0.0
        for layer in self._network.layers(first, second):
            kept = functional.interpolate(mask[None, None].float(), layer.shape[-2:], mode="nearest")[0] > 0
            total += layer[kept].mean(dtype=torch.float64).item() if kept.any() else 0.0
        return total

    def _undefined(self, image: Float[Tensor, "h w 3"], mask: Bool[Tensor, "h w"] | None) -> bool:
        too_small = min(image.shape[:2]) < self._network.backbone.smallest_side
        return too_small or (mask is not None and not bool(mask.any()))


def load_lpips(path: Path | None = None, backbone: Backbone = ALEXNET) -> LPIPS | None:
    """LPIPS from a local backbone, or None where there is none; never downloads.

    Args:
        path: File with torchvision's weights of the backbone. None looks into torch's hub cache, where torchvision and
            torchmetrics put it when they download.
        backbone: Which one; values of different backbones do not compare.

    Raises:
        RunError: The given file is missing or is not that backbone.
    """
    network = load_perceptual(backbone, path)
    return None if network is None else LPIPS(network)
