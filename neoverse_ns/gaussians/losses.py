"""What photometric refinement minimises."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.metrics.image import ssim_map


@dataclass
class PhotometricLossConfig:
    """Weights of the loss terms."""

    l1: float = 0.8
    """Mean absolute colour difference."""
    dssim: float = 0.2
    """1 - SSIM."""
    opacity: float = 0.05
    """Mean |1 - alpha|: without it errors hide in holes (NeoVerse, opacity regulariser)."""


def photometric_losses(
    rgb: Float[Tensor, "h w 3"],
    alpha: Float[Tensor, "h w 1"],
    image: Float[Tensor, "h w 3"],
    config: PhotometricLossConfig,
) -> dict[str, Float[Tensor, ""]]:
    """Weighted loss terms of one frame, by name; their sum is what to minimise."""
    losses = {"l1": config.l1 * torch.abs(rgb - image).mean()}
    if config.dssim > 0:
        losses["dssim"] = config.dssim * (1 - ssim_map(rgb, image).mean())
    if config.opacity > 0:
        losses["opacity"] = config.opacity * torch.abs(1 - alpha).mean()
    return losses
