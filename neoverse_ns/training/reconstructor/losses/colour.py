"""Drawn colours and opacity."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def colour_loss(
    drawn: Float[Tensor, "s 3 h w"], truth: Float[Tensor, "s 3 h w"], mask: Bool[Tensor, "s h w"]
) -> Float[Tensor, ""]:
    """Squared error summed over the three channels, averaged over the mask; 0 where it is empty."""
    # What is masked is left out before it is squared: infinities times a gradient of zero would be NaN.
    difference = torch.where(mask[:, None], drawn - truth, 0.0)
    return masked_mean(difference.square().sum(1), mask)


def opacity_loss(alpha: Float[Tensor, "s h w"], mask: Bool[Tensor, "s h w"]) -> Float[Tensor, ""]:
    """|1 - alpha|, averaged over the mask; without it opacity hides errors (NeoVerse, section 3.3)."""
    return masked_mean(torch.where(mask, 1 - alpha, 0.0).abs(), mask)


def masked_mean(values: Float[Tensor, "s h w"], mask: Bool[Tensor, "s h w"]) -> Float[Tensor, ""]:
    """Mean over the mask, 0 where it is empty; what lies outside reaches neither the value nor its gradient."""
    return torch.where(mask, values, 0.0).sum() / mask.sum().clamp_min(1)
