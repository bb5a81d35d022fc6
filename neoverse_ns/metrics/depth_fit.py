"""What estimated depth is multiplied by, and what is added to it, before it is compared with the truth."""

from __future__ import annotations

import math
from collections.abc import Callable

from jaxtyping import Float64
from torch import Tensor

_STEPS = 10
_EVEN = 1e-8
_LEAST_SCALE = 1e-3
_MOST_AT_FIRST = 2**17
_TOLERANCE = 1e-11
_NEGLIGIBLE = 1e-13

Fit = Callable[[Float64[Tensor, " n"], Float64[Tensor, " n"]], tuple[float, float]]
"""Scale and shift that bring an estimate to the truth."""


def median_scale(d: Float64[Tensor, " n"], g: Float64[Tensor, " n"]) -> tuple[float, float]:
    """Ratio of the medians (Eigen et al., NeurIPS 2014); of an even number the lower of the middle values."""
    return (g.median() / d.median()).item(), 0.0


def median_ratio(d: Float64[Tensor, " n"], g: Float64[Tensor, " n"]) -> tuple[float, float]:
    """Median of the ratios, which does not jump where few pixels lie around the median depth."""
    return (g / d).median().item(), 0.0


def least_squares_scale(d: Float64[Tensor, " n"], g: Float64[Tensor, " n"]) -> tuple[float, float]:
    """Least squared error."""
    return ((d @ g) / (d @ d)).item(), 0.0


def reweighted_scale(d: Float64[Tensor, " n"], g: Float64[Tensor, " n"]) -> tuple[float, float]:
    """Ten steps of reweighted least squares towards the least absolute error, at least 0.001.

    From the ratio of the means, pixels weigh 1 / (|s d - g| + 1e-8) in every step; the rule of MonST3R (Zhang et al.,
    ICLR 2025) and of CUT3R (Wang et al., CVPR 2025), which stop there, converged or not: every step only halves what
    is left to :func:`l1_scale` where a few pixels are far off.
    """
    scale = g.mean() / d.mean()
    for _ in range(_STEPS):
        weight = 1 / ((scale * d - g).abs() + _EVEN)
        scale = (weight * d * g).sum() / (weight * d * d).sum()
    return max(scale.item(), _LEAST_SCALE), 0.0


def l1_scale(d: Float64[Tensor, " n"], g: Float64[Tensor, " n"]) -> tuple[float, float]:
    """Least absolute error, exactly: the median of the ratios, each weighted by its estimate."""
    ratio, order = (g / d).sort()
    weight = d.abs()[order].cumsum(0)
    return ratio[(weight < weight[-1] / 2).sum().clamp(max=len(ratio) - 1)].item(), 0.0


def least_squares_scale_shift(d: Float64[Tensor, " n"], g: Float64[Tensor, " n"]) -> tuple[float, float]:
    """Least squared error; a flat estimate, which leaves the scale open, is shifted alone."""
    centred = d - d.mean()
    spread = (centred @ centred).item()
    scale = (centred @ g).item() / spread if spread > 0 else 1.0
    return scale, (g.mean() - scale * d.mean()).item()


def l1_scale_shift(d: Float64[Tensor, " n"], g: Float64[Tensor, " n"]) -> tuple[float, float]:
    """Least absolute error, found exactly: where MonST3R descends to with Adam, and does not always arrive.

    At a given scale the best shift is the median of what is left, and the error under that shift is a convex function
    of the scale. Its slope says on which side the minimum lies, so that an interval closes in on it. Every slope costs
    a few passes over all pixels, hence some of them find the interval first.
    """
    start = median_scale(d, g)[0]
    # From here on a flat estimate is exactly zero, and leaves the slope at zero.
    origin = d.median()
    d = d - origin
    start = start if math.isfinite(start) else 1.0
    reach = 0.5 * max(abs(start), _LEAST_SCALE)
    if len(d) > 2 * _MOST_AT_FIRST:
        stride = len(d) // _MOST_AT_FIRST
        start, reach = _least(d[::stride], g[::stride], start, reach), 1e-3 * reach
    scale = _least(d, g, start, reach)
    return scale, ((g - scale * d).median() - scale * origin).item()


def _least(d: Float64[Tensor, " n"], g: Float64[Tensor, " n"], start: float, reach: float) -> float:
    """The scale of the least absolute error."""
    (low, fall), (high, rise) = _bracket(d, g, start, reach)
    left = g - start * d
    negligible = _NEGLIGIBLE * (left - left.median()).abs().sum().item()
    passes = 0
    while high - low > _TOLERANCE * max(abs(low), abs(high), 1e-6 * abs(start)):
        # The slope of many pixels is all but straight, so that its zero lies near where the chord has it.
        middle = low - fall / (rise - fall) * (high - low)
        if passes % 3 == 0 or not low < middle < high:
            middle = (low + high) / 2
        slope, passes = _slope(d, g, middle), passes + 1
        # What lies between here and the minimum is at most the slope times the interval.
        if abs(slope) * (high - low) <= negligible:
            return middle
        # An end that stays loses half of its say (the Illinois rule), or it might stay for ever.
        if slope > 0:
            high, rise, fall = middle, slope, fall / 2
        else:
            low, fall, rise = middle, slope, rise / 2
    return (low + high) / 2


def _bracket(
    d: Float64[Tensor, " n"], g: Float64[Tensor, " n"], start: float, reach: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """An interval with a minimum inside it, from `start` outwards: its ends, and the slope at each."""
    inner, slope = start, _slope(d, g, start)
    if slope == 0:
        return (start, 0.0), (start, 0.0)
    sign = math.copysign(1, slope)
    while True:
        outer = inner - sign * reach
        beyond = _slope(d, g, outer)
        if beyond == 0:
            return (outer, 0.0), (outer, 0.0)
        if beyond * sign < 0:
            first, second = (outer, beyond), (inner, slope)
            return (first, second) if sign > 0 else (second, first)
        inner, slope, reach = outer, beyond, 2 * reach


def _slope(d: Float64[Tensor, " n"], g: Float64[Tensor, " n"], scale: float) -> float:
    """A subgradient, by the scale, of the absolute error under the best shift."""
    left = g - scale * d
    left = left - left.median()
    sign = left.sign()
    zero = left == 0
    # Whatever the pixels above and below the median lack to be as many is made up for by those on it.
    share = -sign.sum() / zero.sum()
    return -((sign * d).sum() + share * d[zero].sum()).item()
