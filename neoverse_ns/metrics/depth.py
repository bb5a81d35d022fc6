"""Errors of estimated depth against true depth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from neoverse_ns.metrics.depth_fit import (
    Fit,
    l1_scale,
    l1_scale_shift,
    least_squares_scale,
    least_squares_scale_shift,
    median_ratio,
    median_scale,
    reweighted_scale,
)

DepthAlignment = Literal[
    "none",
    "median_scale",
    "median_ratio",
    "least_squares_scale",
    "reweighted_scale",
    "l1_scale",
    "l1_scale_shift",
    "least_squares_scale_shift",
]
"""Nothing, or a fit of :mod:`neoverse_ns.metrics.depth_fit` by its name."""

_FITS: Mapping[DepthAlignment, Fit] = {
    "none": lambda d, g: (1.0, 0.0),
    "median_scale": median_scale,
    "median_ratio": median_ratio,
    "least_squares_scale": least_squares_scale,
    "reweighted_scale": reweighted_scale,
    "l1_scale": l1_scale,
    "l1_scale_shift": l1_scale_shift,
    "least_squares_scale_shift": least_squares_scale_shift,
}


@dataclass(frozen=True)
class DepthLimits:
    """Which depths count, units of the truth.

    Attributes:
        truth_below: Only pixels whose truth is smaller are judged; None: all.
        at_least: Aligned estimates are raised to this, so that none is zero or negative; None: they must be positive
            by themselves.
        at_most: They are lowered to this; None: they stay.
    """

    truth_below: float | None = None
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True)
class DepthError:
    """Depth errors over the valid pixels; NaN with a `reason` where there is none.

    Attributes:
        abs_rel: Mean of |estimate - truth| / truth.
        rmse: Root mean square error, units of the truth.
        delta_125: Fraction of pixels within a factor 1.25 of the truth, either way.
        scale: What the estimate was multiplied by.
        alignment: How that scale, and the shift, were chosen.
        pixels: Number of valid pixels.
        reason: Why the errors are NaN; None where they are defined.
        shift: What was added then, units of the truth.
        sq_rel: Mean of (estimate - truth)^2 / truth, units of the truth.
        log_rmse: Root mean square difference of the natural logarithms.
        delta_2: As `delta_125`, within 1.25^2.
        delta_3: As `delta_125`, within 1.25^3.
    """

    abs_rel: float
    rmse: float
    delta_125: float
    scale: float
    alignment: DepthAlignment
    pixels: int
    reason: str | None = None
    shift: float = math.nan
    sq_rel: float = math.nan
    log_rmse: float = math.nan
    delta_2: float = math.nan
    delta_3: float = math.nan


def depth_error(
    estimate: Float[Tensor, "*batch h w"],
    truth: Float[Tensor, "*batch h w"],
    valid: Bool[Tensor, "*batch h w"] | None = None,
    alignment: DepthAlignment = "median_scale",
    limits: DepthLimits = DepthLimits(),
) -> DepthError:
    """Compare z-depths, all images together after one common alignment (Eigen et al., NeurIPS 2014).

    Args:
        estimate: Depth to judge; of another size than the truth, see :func:`resized_depth`.
        truth: True depth; pixels that are not finite or not positive are never valid.
        valid: Further restriction of the pixels judged.
        alignment: How the estimate is brought to the truth, over the pixels judged.
        limits: Which depths count, and to what the aligned estimate is cut.
    """
    judged = truth.isfinite() & (truth > 0)
    if limits.truth_below is not None:
        judged = judged & (truth < limits.truth_below)
    if valid is not None:
        judged = judged & valid
    d, g = estimate[judged].to(torch.float64), truth[judged].to(torch.float64)
    pixels = g.numel()
    if pixels == 0:
        return _undefined(alignment, 0, "no pixel has a true depth")
    if not d.isfinite().all() or (limits.at_least is None and not (d > 0).all()):
        return _undefined(alignment, pixels, "the estimate is not positive and finite everywhere")
    scale, shift = _FITS[alignment](d, g)
    if not (math.isfinite(scale) and math.isfinite(shift)):
        return _undefined(alignment, pixels, "the estimate cannot be aligned")
    d = (scale * d + shift).clamp(limits.at_least, limits.at_most) if _cuts(limits) else scale * d + shift
    if not (d > 0).all():
        return _undefined(alignment, pixels, "the aligned estimate is not positive everywhere, and nothing raises it")
    squared = (d - g).square()
    ratio = torch.maximum(d / g, g / d)
    delta = [(ratio < 1.25**k).to(torch.float64).mean().item() for k in (1, 2, 3)]
    return DepthError(
        abs_rel=((d - g).abs() / g).mean().item(),
        rmse=squared.mean().sqrt().item(),
        delta_125=delta[0],
        scale=scale,
        alignment=alignment,
        pixels=pixels,
        shift=shift,
        sq_rel=(squared / g).mean().item(),
        log_rmse=ratio.log().square().mean().sqrt().item(),
        delta_2=delta[1],
        delta_3=delta[2],
    )


def resized_depth(depth: Float[Tensor, "*batch h w"], height: int, width: int) -> Float[Tensor, "*batch hh ww"]:
    """Depth at the truth's size, bicubic as OpenCV's; unchanged where the size is the same already."""
    if depth.shape[-2:] == (height, width):
        return depth
    planes = depth.reshape(-1, 1, *depth.shape[-2:])
    resized = functional.interpolate(planes, (height, width), mode="bicubic", align_corners=False)
    return resized.reshape(*depth.shape[:-2], height, width)


def _cuts(limits: DepthLimits) -> bool:
    return limits.at_least is not None or limits.at_most is not None


def _undefined(alignment: DepthAlignment, pixels: int, reason: str) -> DepthError:
    return DepthError(math.nan, math.nan, math.nan, math.nan, alignment, pixels, reason)
