"""Our fade away from the keyframe as what the file has: full opacity for a while, then half a bell curve."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

_POWERS = np.geomspace(1.0, 1000.0, 577)
"""Exponents 1 / (1 - life span) looked at; steeper ones are cliffs that look alike."""
_FLATS = np.linspace(0.0, 1.0, 33)
_WIDTHS = np.geomspace(0.01, 2.0, 64)
_DISTANCES = (np.arange(256) + 0.5) / 256


@dataclass(frozen=True)
class FadeTable:
    """Least squares over all distances from the keyframe, tabulated.

    Attributes:
        flats: Best end of the flat piece by exponent, as a share of the gap.
        widths: Best standard deviation by exponent and end of the flat piece, as a share of the gap.
        errors: Root of the mean squared difference in opacity, for the same.
    """

    flats: Float64[ndarray, " p"]
    widths: Float64[ndarray, "p f"]
    errors: Float64[ndarray, "p f"]

    def flat_of(self, life_spans: Float64[ndarray, " n"]) -> Float64[ndarray, " n"]:
        """Where the flat piece had best end."""
        return self.flats[_row(life_spans)]

    def width_of(self, life_spans: Float64[ndarray, " n"], flats: Float64[ndarray, " n"]) -> Float64[ndarray, " n"]:
        """Standard deviation behind a flat piece that ends at `flats`."""
        return self.widths[_row(life_spans), _column(flats)]

    def error_of(self, life_spans: Float64[ndarray, " n"], flats: Float64[ndarray, " n"]) -> Float64[ndarray, " n"]:
        """Root mean square, over the gap, of the difference in opacity, for a Gaussian that is opaque."""
        return self.errors[_row(life_spans), _column(flats)]


@cache
def fade_table(gamma: float) -> FadeTable:
    """The table for a decay rate; see :func:`neoverse_ns.gaussians.transition.fade`."""
    behind = _DISTANCES[None] - _FLATS[:, None]
    # [flats, widths, distances]
    bells = np.where(behind[:, None] > 0, np.exp(-0.5 * (behind[:, None] / _WIDTHS[None, :, None]) ** 2), 1.0)
    fades = np.exp(-gamma * _DISTANCES[None] ** _POWERS[:, None])
    # Mean squared difference of every fade and every bell, [powers, flats, widths].
    products = np.einsum("pd,fwd->pfw", fades, bells, optimize=True) / len(_DISTANCES)
    squares = np.mean(bells**2, axis=-1)[None] - 2 * products + np.mean(fades**2, axis=-1)[:, None, None]
    best = squares.argmin(axis=-1)
    errors = np.take_along_axis(squares, best[..., None], axis=-1)[..., 0]
    return FadeTable(_FLATS[errors.argmin(axis=1)], _WIDTHS[best], np.sqrt(np.maximum(errors, 0)))


def _row(life_spans: Float64[ndarray, " n"]) -> ndarray:
    powers = 1 / (1 - life_spans + 1e-6)
    step = np.log(_POWERS[1])
    return np.clip(np.rint(np.log(powers) / step), 0, len(_POWERS) - 1).astype(np.int64)


def _column(flats: Float64[ndarray, " n"]) -> ndarray:
    return np.clip(np.rint(flats * (len(_FLATS) - 1)), 0, len(_FLATS) - 1).astype(np.int64)
