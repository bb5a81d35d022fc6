"""What refinement minimises: colours against the frames, and what the reconstruction knew about depth."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.metrics.image import ssim_map, whole_windows
from neoverse_ns.optimise.motion_priors import MotionLossConfig

COVERED = 0.5
"""Opacity above which a pixel's drawn depth is a surface's and not mostly that of nothing."""


@dataclass
class LossConfig:
    """Weights of the loss terms; a term of weight 0 is not computed."""

    l1: float = 0.8
    """Mean absolute colour difference."""
    dssim: float = 0.2
    """1 - SSIM."""
    opacity: float = 0.05
    """Mean |1 - alpha|: without it errors hide in holes (NeoVerse, opacity regulariser)."""
    depth: float = 0.0
    """Logarithm of drawn over estimated depth, less its median, at keyframes where the estimate is confident.
    Weight 0.05 left held-out frames as they were (within 0.01 dB), so it is off."""
    motion: MotionLossConfig = field(default_factory=MotionLossConfig)
    """What keeps velocities together, and near what flow measured."""

    def validate(self) -> None:
        """Raise SettingsError where a weight is negative or no number."""
        for group, name in ((self, "losses"), (self.motion, "losses.motion")):
            for field_ in fields(group):
                value = getattr(group, field_.name)
                if isinstance(value, (int, float)) and not (math.isfinite(value) and value >= 0):
                    raise SettingsError(f"{name}.{field_.name} must be 0 or a positive number, got {value}")
        if self.motion.share < 1:
            raise SettingsError(f"losses.motion.share must be at least 1, got {self.motion.share}")


def photometric_losses(
    rgb: Float[Tensor, "h w 3"],
    alpha: Float[Tensor, "h w 1"],
    image: Float[Tensor, "h w 3"],
    config: LossConfig,
    world: Bool[Tensor, "h w"] | None = None,
) -> dict[str, Float[Tensor, ""]]:
    """Weighted colour and opacity terms of one frame, by name.

    Args:
        rgb: As drawn.
        alpha: As drawn.
        image: What the frame shows.
        config: Weights.
        world: Pixels that count; None where all do. Others count nothing, not even inside the windows of SSIM.
    """
    if world is None:
        losses = {"l1": config.l1 * torch.abs(rgb - image).mean()}
        if config.dssim > 0:
            losses["dssim"] = config.dssim * (1 - ssim_map(rgb, image).mean())
        if config.opacity > 0:
            losses["opacity"] = config.opacity * torch.abs(1 - alpha).mean()
        return losses
    losses = {"l1": config.l1 * _mean_over(torch.abs(rgb - image).mean(-1), world)}
    if config.dssim > 0:
        losses["dssim"] = config.dssim * _mean_over(1 - ssim_map(rgb, image).mean(-1), whole_windows(world))
    if config.opacity > 0:
        losses["opacity"] = config.opacity * _mean_over(torch.abs(1 - alpha)[..., 0], world)
    return losses


def _mean_over(values: Float[Tensor, "h w"], mask: Bool[Tensor, "h w"]) -> Float[Tensor, ""]:
    """Mean over a mask, 0 where it is empty."""
    return torch.where(mask, values, torch.zeros_like(values)).sum() / mask.sum().clamp_min(1)


def depth_loss(
    depth: Float[Tensor, "h w"],
    alpha: Float[Tensor, "h w"],
    estimate: Float[Tensor, "h w"],
    confidence: Float[Tensor, "h w"],
) -> Float[Tensor, ""]:
    """Mean |log(depth / estimate) - its median|, weighted by confidence, where something is drawn.

    Taking the median off makes it blind to the scale, which refined cameras may change, as in the scale-invariant error
    of Eigen, Puhrsch and Fergus (2014); absolute instead of squared differences bear with the mixed depths that edges
    have in an expected depth.

    Args:
        depth: Expected z-depth as drawn, world units.
        alpha: Drawn opacity.
        estimate: The reconstruction's z-depth of the same frame, positive.
        confidence: Trust in the estimate, in [0, 1].
    """
    drawn = (alpha > COVERED) & (depth > 0)
    ratio = torch.where(drawn, depth, estimate).log() - estimate.log()
    weight = confidence * drawn
    median = ratio.detach()[weight > 0].median() if bool((weight > 0).any()) else ratio.new_zeros(())
    return (weight * (ratio - median).abs()).sum() / weight.sum().clamp_min(1e-6)
