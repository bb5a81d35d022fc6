"""Perceptual distance of drawn colours, as a map."""

from __future__ import annotations

from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.console import warn
from neoverse_ns.metrics.perceptual import VGG16, PerceptualNetwork
from neoverse_ns.metrics.perceptual_weights import load_perceptual
from neoverse_ns.training.reconstructor.losses.colour import masked_mean
from neoverse_ns.training.reconstructor.losses.config import LossConfig


def load_vgg(config: LossConfig) -> PerceptualNetwork | None:
    """LPIPS with VGG16 where the term counts and its weights are at hand; says so where they are not.

    Raises:
        RunError: The file that the settings name is missing or is not VGG16.
    """
    if not (config.rgb and config.lpips):
        return None
    network = load_perceptual(VGG16, config.lpips_weights)
    if network is None:
        warn(
            f"drawn colours are judged without LPIPS: torch's hub cache holds no {VGG16.hub_file}; "
            "name a file of torchvision's VGG16, or set the term's weight to 0"
        )
    return network


def perceptual_loss(
    network: PerceptualNetwork,
    drawn: Float[Tensor, "s 3 h w"],
    truth: Float[Tensor, "s 3 h w"],
    mask: Bool[Tensor, "s h w"],
) -> Float[Tensor, ""]:
    """LPIPS of every pixel, averaged over the mask, outside which both images are black; 0 where it is empty."""
    if min(drawn.shape[-2:]) < network.backbone.smallest_side:
        return drawn.new_zeros(())
    seen = mask[:, None]
    distance = network.recomputed_map(drawn.where(seen, drawn.new_zeros(())), truth.where(seen, truth.new_zeros(())))
    return masked_mean(distance.to(drawn.dtype), mask)
