"""The masked SSIM of DyCheck (Gao et al., "Monocular Dynamic View Synthesis: A Reality Check", NeurIPS 2022), exactly.

Averages are partial convolutions (Liu et al., ECCV 2018): what lies outside the mask adds nothing, and what lies inside
is raised by the share of the window that it fills. That share is counted evenly while the sum is weighted by a
Gaussian, so that even a flat image does not keep its mean beside the mask's edge; whoever wants the published numbers
has to do likewise.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor
from torch.nn import functional

from neoverse_ns.metrics.ssim_window import gaussian_window

_SIDE = 11
_C1, _C2 = 0.01**2, 0.03**2


def dycheck_ssim(
    a: Float[Tensor, "h w 3"], b: Float[Tensor, "h w 3"], mask: Bool[Tensor, "h w"] | None = None
) -> float:
    """mSSIM: mean over all places where the window fits, where those that see no pixel of the mask count as 1.

    Thus 1 where the mask is empty, and nearer to 1 the smaller it is; NaN for images smaller than the window.

    Args:
        a: RGB in [0, 1].
        b: The same.
        mask: Pixels that count; None: all.
    """
    if min(a.shape[:2]) < _SIDE:
        return math.nan
    valid = a.new_ones(a.shape[:2], dtype=torch.float64) if mask is None else mask.to(torch.float64)
    x, y = a.to(torch.float64).permute(2, 0, 1), b.to(torch.float64).permute(2, 0, 1)
    mean_x, mean_y, xx, yy, xy = _local_means(torch.stack([x, y, x * x, y * y, x * y]), valid)
    # Round-off and the uneven weights can break what holds of any variance and covariance.
    variance_x, variance_y = (xx - mean_x * mean_x).clamp(min=0), (yy - mean_y * mean_y).clamp(min=0)
    covariance = xy - mean_x * mean_y
    covariance = covariance.sign() * torch.minimum(covariance.abs(), (variance_x * variance_y).sqrt())
    luminance = (2 * mean_x * mean_y + _C1) / (mean_x * mean_x + mean_y * mean_y + _C1)
    return (luminance * (2 * covariance + _C2) / (variance_x + variance_y + _C2)).mean().item()


def _local_means(planes: Float64[Tensor, "m c h w"], valid: Float64[Tensor, "h w"]) -> Float64[Tensor, "m c hh ww"]:
    """Along the width, then along the height, each time with the mask that the pass before has left."""
    for transposed in (False, True):
        kernel = gaussian_window(planes)[None, None, None]
        kernel = kernel.mT if transposed else kernel
        count = functional.conv2d(valid[None, None], torch.ones_like(kernel))[0, 0]
        sums = functional.conv2d((planes * valid).flatten(0, 1)[:, None], kernel)
        sums = sums.reshape(*planes.shape[:2], *sums.shape[-2:])
        planes = torch.where(count > 0, sums * _SIDE / count.clamp(min=1), 0.0)
        valid = (count > 0).to(valid)
    return planes
