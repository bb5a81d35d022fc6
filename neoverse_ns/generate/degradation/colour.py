"""How different two colours look."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

BLACK_TO_WHITE = 255 * (8 + 255 / 256) ** 0.5
"""The largest distance there is."""


def colour_distance(a: Float[Tensor, "*batch 3"], b: Float[Tensor, "*batch 3"]) -> Float[Tensor, "*batch"]:
    """The "redmean" approximation of perceptual distance, for RGB in [0, 1]; from 0 to about 765.

    sqrt((2 + r/256) dR^2 + 4 dG^2 + (2 + (255 - r)/256) dB^2) of 8-bit colours, with r the mean of both reds.
    """
    a, b = 255 * a, 255 * b
    mean_red = (a[..., 0] + b[..., 0]) / 2
    red, green, blue = (a - b).square().unbind(-1)
    return ((2 + mean_red / 256) * red + 4 * green + (2 + (255 - mean_red) / 256) * blue).sqrt()
