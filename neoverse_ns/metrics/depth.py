"""Errors of estimated depth against true depth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

DepthAlignment = Literal["none", "median_scale", "median_ratio", "least_squares_scale"]


@dataclass(frozen=True)
class DepthError:
    """Depth errors over the valid pixels; NaN with a `reason` where there is none.

    Attributes:
        abs_rel: Mean of |estimate - truth| / truth.
        rmse: Root mean square error, units of the truth.
        delta_125: Fraction of pixels within a factor 1.25 of the truth, either way.
        scale: What the estimate was multiplied by.
        alignment: How that scale was chosen.
        pixels: Number of valid pixels.
        reason: Why the errors are NaN; None where they are defined.
    """

    abs_rel: float
    rmse: float
    delta_125: float
    scale: float
    alignment: DepthAlignment
    pixels: int
    reason: str | None = None


def depth_error(
    estimate: Float[Tensor, "*batch h w"],
    truth: Float[Tensor, "*batch h w"],
    valid: Bool[Tensor, "*batch h w"] | None = None,
    alignment: DepthAlignment = "median_scale",
) -> DepthError:
    """Compare z-depths, all images together after one common scale (Eigen et al., NeurIPS 2014).

    Args:
        estimate: Depth to judge.
        truth: True depth; pixels that are not finite or not positive are never valid.
        valid: Further restriction of the pixels judged.
        alignment: `none` compares as it is; `median_scale` multiplies by the ratio of the medians;
            `median_ratio` by the median of the pixels' ratios, which does not jump where few pixels lie around the
            median depth; `least_squares_scale` by the scale that minimises the squared error.
    """
    judged = truth.isfinite() & (truth > 0)
    if valid is not None:
        judged = judged & valid
    d, t = estimate[judged].to(torch.float64), truth[judged].to(torch.float64)
    pixels = t.numel()
    if pixels == 0:
        return DepthError(math.nan, math.nan, math.nan, math.nan, alignment, 0, "no pixel has a true depth")
    if not (d.isfinite() & (d > 0)).all():
        reason = "the estimate is not positive and finite everywhere"
        return DepthError(math.nan, math.nan, math.nan, math.nan, alignment, pixels, reason)
    scale = _scale(d, t, alignment)
    d = scale * d
    ratio = torch.maximum(d / t, t / d)
    return DepthError(
        abs_rel=((d - t).abs() / t).mean().item(),
        rmse=(d - t).square().mean().sqrt().item(),
        delta_125=(ratio < 1.25).to(torch.float64).mean().item(),
        scale=scale,
        alignment=alignment,
        pixels=pixels,
    )


def _scale(d: Float[Tensor, " n"], t: Float[Tensor, " n"], alignment: DepthAlignment) -> float:
    if alignment == "median_scale":
        return (t.median() / d.median()).item()
    if alignment == "median_ratio":
        return (t / d).median().item()
    if alignment == "least_squares_scale":
        return ((d @ t) / (d @ d)).item()
    return 1.0
