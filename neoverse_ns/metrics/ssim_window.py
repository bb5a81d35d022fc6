"""SSIM as scikit-image computes it, which most tables of the field come from; float64 throughout.

Its two usual settings differ from :func:`neoverse_ns.metrics.image.ssim` in the (co)variance, which is a sample's
(divided by n - 1, also where the window is Gaussian), and in the border, half a window wide, that the mean leaves out.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor
from torch.nn import functional

Window = Literal["gaussian", "uniform"]
"""11 pixels wide with a sigma of 1.5, or 7 pixels wide and flat."""

_SIDE = {"gaussian": 11, "uniform": 7}
_SIGMA = 1.5
_K1, _K2 = 0.01, 0.03


def windowed_ssim(
    a: Float[Tensor, "h w 3"],
    b: Float[Tensor, "h w 3"],
    window: Window = "gaussian",
    data_range: float = 1.0,
    sample: bool = True,
) -> float:
    """Mean of :func:`windowed_ssim_map` where whole windows fit; NaN for images in which none does.

    "gaussian" is `skimage.metrics.structural_similarity(gaussian_weights=True, sigma=1.5, channel_axis=-1)`, and with
    `sample` off the same with `use_sample_covariance=False`; "uniform" is scikit-image's default.

    Args:
        a: RGB in [0, 1].
        b: The same.
        window: Shape of the window.
        data_range: What the constants are made from; 2 is what scikit-image took for floating point numbers until
            version 0.23, and what the numbers of NSFF and DynIBaR are computed with.
        sample: (Co)variances of a sample instead of the window's own.
    """
    margin = _SIDE[window] // 2
    height, width = a.shape[:2]
    if min(height, width) < _SIDE[window]:
        return math.nan
    inner = windowed_ssim_map(a, b, window, data_range, sample)[margin : height - margin, margin : width - margin]
    return inner.mean().item()


def masked_windowed_ssim(
    a: Float[Tensor, "h w 3"],
    b: Float[Tensor, "h w 3"],
    mask: Bool[Tensor, "h w"],
    window: Window = "uniform",
    data_range: float = 1.0,
) -> float:
    """Mean of :func:`windowed_ssim_map`, borders included, over the pixels of a mask; NaN where it is empty.

    The rule for moving pixels of NSFF (Li et al., CVPR 2021) and DynIBaR (Li et al., CVPR 2023); windows reach beyond
    the mask.
    """
    if not mask.any() or min(a.shape[:2]) < _SIDE[window]:
        return math.nan
    return windowed_ssim_map(a, b, window, data_range)[mask].mean().item()


def windowed_ssim_map(
    a: Float[Tensor, "h w 3"],
    b: Float[Tensor, "h w 3"],
    window: Window = "gaussian",
    data_range: float = 1.0,
    sample: bool = True,
) -> Float64[Tensor, "h w 3"]:
    """Structural similarity at every pixel and channel; borders are mirrored with the edge pixel repeated.

    Raises:
        ValueError: A side is shorter than the window.
    """
    side = _SIDE[window]
    if min(a.shape[:2]) < side:
        raise ValueError(f"images of {a.shape[1]}x{a.shape[0]} pixels are smaller than a window of {side}")
    x, y = a.to(torch.float64).permute(2, 0, 1), b.to(torch.float64).permute(2, 0, 1)
    mean_x, mean_y, xx, yy, xy = _filter(torch.stack([x, y, x * x, y * y, x * y]), window)
    norm = side**2 / (side**2 - 1) if sample else 1.0
    variances = norm * (xx - mean_x * mean_x + yy - mean_y * mean_y)
    covariance = norm * (xy - mean_x * mean_y)
    C1, C2 = (_K1 * data_range) ** 2, (_K2 * data_range) ** 2
    luminance = (2 * mean_x * mean_y + C1) / (mean_x * mean_x + mean_y * mean_y + C1)
    return (luminance * (2 * covariance + C2) / (variances + C2)).permute(1, 2, 0)


def gaussian_window(like: Tensor) -> Float[Tensor, "11"]:
    """Eleven weights with a sum of 1."""
    side = _SIDE["gaussian"]
    offsets = torch.arange(side, dtype=like.dtype, device=like.device) - side // 2
    weights = torch.exp(-offsets.square() / (2 * _SIGMA**2))
    return weights / weights.sum()


def _filter(planes: Float64[Tensor, "m c h w"], window: Window) -> Float64[Tensor, "m c h w"]:
    side = _SIDE[window]
    weights = gaussian_window(planes) if window == "gaussian" else planes.new_full((side,), 1 / side)
    count = planes.shape[0] * planes.shape[1]
    flat = _mirrored(planes.reshape(1, count, *planes.shape[2:]), side // 2)
    kernel = weights.expand(count, 1, 1, side)
    rows = functional.conv2d(flat, kernel, groups=count)
    return functional.conv2d(rows, kernel.mT, groups=count).reshape(planes.shape)


def _mirrored(planes: Float64[Tensor, "1 n h w"], margin: int) -> Float64[Tensor, "1 n hh ww"]:
    """Mirrored about the edges of the outermost pixels, which torch's own padding does not offer."""
    for axis in (-2, -1):
        start = planes.narrow(axis, 0, margin).flip(axis)
        end = planes.narrow(axis, planes.shape[axis] - margin, margin).flip(axis)
        planes = torch.cat([start, planes, end], axis)
    return planes
