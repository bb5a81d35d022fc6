"""PSNR and SSIM of RGB images in [0, 1], over the whole image or inside a mask.

SSIM is a loss as much as a metric. Torchmetrics, whose numbers these are, cannot be imported everywhere
(`test_metrics_work_where_torchmetrics_cannot_be_imported`), nor does it filter as cheaply or as exactly
(`test_ssim_costs_a_fifth_and_is_nearer_to_double_precision`).
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = 0.01**2, 0.03**2


def psnr(a: Float[Tensor, "h w 3"], b: Float[Tensor, "h w 3"], mask: Bool[Tensor, "h w"] | None = None) -> float:
    """Peak signal-to-noise ratio in dB, peak 1; infinite for equal images, NaN where the mask is empty.

    With a mask the squared error is averaged over its pixels, the mPSNR of DyCheck (Gao et al., NeurIPS 2022).
    """
    squared = (a - b).to(torch.float64).square()
    if mask is not None:
        squared = squared[mask]
    return (-10 * torch.log10(squared.mean())).item()


def ssim(a: Float[Tensor, "h w 3"], b: Float[Tensor, "h w 3"], mask: Bool[Tensor, "h w"] | None = None) -> float:
    """Structural similarity (Wang et al., TIP 2004), the mean of :func:`ssim_map`; NaN where the mask is empty.

    With a mask the map is averaged over its pixels. Their windows still reach up to 5 pixels beyond the mask, unlike
    DyCheck's mSSIM, which blanks what lies outside.
    """
    values = ssim_map(a, b)
    if mask is not None:
        values = values[mask]
    return values.mean(dtype=torch.float64).item()


def ssim_map(a: Float[Tensor, "h w 3"], b: Float[Tensor, "h w 3"]) -> Float[Tensor, "h w 3"]:
    """Structural similarity at every pixel and channel; differentiable.

    An 11x11 Gaussian window of sigma 1.5, K1 = 0.01, K2 = 0.03, data range 1. Borders are mirrored as torchmetrics does
    it, so that the mean equals its `structural_similarity_index_measure(..., data_range=1.0)`; sides shorter than the
    mirrored margin repeat their last pixel instead.
    """
    x, y = a.permute(2, 0, 1), b.permute(2, 0, 1)
    moments = _blur(torch.stack([x, y, x * x, y * y, x * y]))
    mean_x, mean_y, xx, yy, xy = moments
    # Round-off can push the variance of flat regions below zero.
    variances = (xx - mean_x * mean_x).clamp(min=0) + (yy - mean_y * mean_y).clamp(min=0)
    covariance = xy - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + _C1) / (mean_x * mean_x + mean_y * mean_y + _C1)
    structure = (2 * covariance + _C2) / (variances + _C2)
    return (luminance * structure).permute(1, 2, 0)


def whole_windows(mask: Bool[Tensor, "h w"]) -> Bool[Tensor, "h w"]:
    """Pixels of a mask whose whole window of :func:`ssim_map` lies inside it, as far as it lies inside the image."""
    outside = (~mask)[None, None].float()
    reached = functional.max_pool2d(outside, _WINDOW, stride=1, padding=_WINDOW // 2)
    return reached[0, 0] == 0


def _blur(images: Float[Tensor, "m c h w"]) -> Float[Tensor, "m c h w"]:
    """Gaussian filter, first along rows, then along columns."""
    margin = _WINDOW // 2
    offsets = torch.arange(-margin, margin + 1, dtype=images.dtype, device=images.device)
    window = torch.exp(-offsets.square() / (2 * _SIGMA**2))
    window = window / window.sum()
    # As channels of one image with a group each: on CPUs far faster than as a batch of images with one channel.
    planes = images.shape[0] * images.shape[1]
    flat = images.reshape(1, planes, *images.shape[2:])
    mode = "reflect" if min(flat.shape[-2:]) > margin else "replicate"
    padded = functional.pad(flat, (margin, margin, margin, margin), mode=mode)
    weights = window.expand(planes, 1, 1, _WINDOW)
    rows = functional.conv2d(padded, weights, groups=planes)
    return functional.conv2d(rows, weights.mT, groups=planes).reshape(images.shape)
