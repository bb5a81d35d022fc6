"""How much an edit changes what it should leave alone: pictures compared outside the edited region."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.metrics.image import psnr, ssim, whole_windows
from neoverse_ns.metrics.lpips import LPIPS


@dataclass(frozen=True)
class OutsideScores:
    """Of one picture; all NaN where the region leaves nothing outside.

    Attributes:
        psnr: dB; infinite where nothing outside has changed.
        mse: Mean squared difference of values in [0, 1].
        ssim: Structural similarity; NaN, too, where no whole window lies outside and the rest is not blackened.
        lpips: Perceptual distance by the backbone that was given; None without one.
    """

    psnr: float
    mse: float
    ssim: float
    lpips: float | None


def outside_scores(
    edited: Float[Tensor, "h w 3"],
    original: Float[Tensor, "h w 3"],
    region: Bool[Tensor, "h w"],
    lpips: LPIPS | None = None,
    blackened: bool = True,
) -> OutsideScores:
    """Compare an edited picture with the original where it was not to be edited.

    Args:
        edited: RGB in [0, 1].
        original: The same, before the edit.
        region: Pixels that were to be edited.
        lpips: Perceptual distance; FiVE takes SqueezeNet's, so that its values do not compare with other backbones'.
        blackened: The region is black in both pictures and everything is averaged over the whole picture, as FiVE does
            (Li et al., ICCV 2025, after PIE-Bench, Ju et al., ICLR 2024), which flatters the more the larger the region
            is. Else averages are over what lies outside: PSNR and MSE over its pixels, SSIM over windows that do not
            reach into the region, LPIPS as DyCheck masks it.
    """
    outside = ~region
    if not bool(outside.any()):
        return OutsideScores(math.nan, math.nan, math.nan, None if lpips is None else math.nan)
    if blackened:
        edited, original = (torch.where(outside[..., None], image, 0.0) for image in (edited, original))
    counted, windows = (None, None) if blackened else (outside, whole_windows(outside))
    squared = (edited - original).to(torch.float64).square()
    return OutsideScores(
        psnr=psnr(edited, original, counted),
        mse=(squared if counted is None else squared[counted]).mean().item(),
        ssim=ssim(edited, original, windows),
        lpips=None if lpips is None else lpips(edited, original, counted),
    )
