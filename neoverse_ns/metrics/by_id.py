"""Image metrics by the ids that protocols are written in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

Measure = Callable[[Float[Tensor, "h w 3"], Float[Tensor, "h w 3"], Bool[Tensor, "h w"] | None], float]
"""What is shown, the truth, and the pixels that count (None: all); NaN where there are none."""


@dataclass(frozen=True)
class ImageMetric:
    """A metric of one picture against another.

    Attributes:
        id: As in protocols.
        measure: Computes it, of RGB in [0, 1].
        quantised: What is shown is rounded to 8 bits first.
        masked: It looks at the pixels that count alone; others ignore the mask.
        better: Whether more or less of it is better.
        title: For tables.
    """

    id: str
    measure: Measure
    quantised: bool
    masked: bool
    better: str
    title: str
