"""Smooth scalar functions of squared angles, exact to round-off at zero in value and gradient.

The closed forms below divide 0 by 0 at the identity, and lose digits near it. Each function therefore switches to its
power series for small arguments. `torch.where` would let NaN gradients of the unused branch through, so that branch is
evaluated at a harmless argument instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

_BERNOULLI = (1 / 6, 1 / 30, 1 / 42, 1 / 30, 5 / 66, 691 / 2730, 7 / 6, 3617 / 510)


def _switch(
    x: Tensor, below: float, coefficients: Sequence[float], closed_form: Callable[[Tensor], Tensor]
) -> Float[Tensor, "..."]:
    """The power series in `x` where x < `below`, `closed_form(sqrt(x))` elsewhere; x >= 0."""
    small = x < below
    closed = closed_form(torch.where(small, torch.ones_like(x), x).sqrt())
    inside = torch.where(small, x, torch.zeros_like(x))
    series = torch.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        series = series * inside + coefficient
    return torch.where(small, series, closed)


def _alternating(first: int, terms: int = 8) -> list[float]:
    """Coefficients of sum_k (-x)^k / (2k + first)!"""
    return [(-1) ** k / math.factorial(2 * k + first) for k in range(terms)]


def cos_sqrt(x: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    """cos(a) with x = a^2."""
    return _switch(x, 0.25, _alternating(0), torch.cos)


def sinc_sqrt(x: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    """sin(a) / a with x = a^2."""
    return _switch(x, 0.25, _alternating(1), lambda a: a.sin() / a)


def versine_sqrt(x: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    """(1 - cos(a)) / a^2 with x = a^2."""
    return _switch(x, 0.25, _alternating(2), lambda a: 2 * ((a / 2).sin() / a) ** 2)


def cubic_sqrt(x: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    """(a - sin(a)) / a^3 with x = a^2."""
    return _switch(x, 0.25, _alternating(3), lambda a: (a - a.sin()) / a**3)


def arcsinc(sine_squared: Float[Tensor, "*batch"], cosine: Float[Tensor, "*batch"]) -> Float[Tensor, "*batch"]:
    """a / sin(a) for an angle a in [0, pi/2] given by the square of its sine and its cosine >= 0."""
    series = [math.comb(2 * k, k) / (4**k * (2 * k + 1)) for k in range(9)]
    return _switch(sine_squared, 0.01, series, lambda s: torch.atan2(s, cosine) / s)
