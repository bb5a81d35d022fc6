"""What a refined view contributes to a training step."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.generate.stage.config import StageConfig
from neoverse_ns.metrics.image import ssim_map
from neoverse_ns.optimise.losses import LossConfig


def pixel_weights(repainted: Bool[Tensor, "*shape"], config: StageConfig) -> Float[Tensor, "*shape"]:
    """Weight of every pixel's loss: full where refinement was needed, little elsewhere."""
    full = torch.full(repainted.shape, config.weight, device=repainted.device)
    return torch.where(repainted, full, config.keep_weight * full)


def refined_view_losses(
    rgb: Float[Tensor, "h w 3"],
    target: Float[Tensor, "h w 3"],
    weight: Float[Tensor, "h w"],
    config: LossConfig,
) -> dict[str, Float[Tensor, ""]]:
    """Weighted colour terms, by name: what a frame has, pixel by pixel, and nothing of what only frames have.

    Sums are divided by the number of all pixels, so that a pixel of weight 1 pulls as hard as one of a frame. Opacity
    is not asked for: the far field makes every view opaque.

    Args:
        rgb: As drawn, with everything that free cameras see.
        target: The refined view.
        weight: See :func:`pixel_weights`.
        config: Shares of the terms.
    """
    losses = {"refined_l1": config.l1 * (weight * (rgb - target).abs().mean(-1)).mean()}
    if config.dssim > 0:
        losses["refined_dssim"] = config.dssim * (weight * (1 - ssim_map(rgb, target).mean(-1))).mean()
    return losses
