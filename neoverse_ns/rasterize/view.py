"""What every backend returns for one camera."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float, Int32
from torch import Tensor


@dataclass(frozen=True)
class RenderedView:
    """One camera's picture.

    Attributes:
        image: Colours, then depth where it was asked for.
        alpha: Coverage, 0 to 1.
        radii: Half extents in whole pixels, zero for Gaussians that cannot be seen.
        means2d: Projected centres in pixels, without gradient; meaningless where the radii are zero.
    """

    image: Float[Tensor, "h w x"]
    alpha: Float[Tensor, "h w"]
    radii: Int32[Tensor, "n 2"]
    means2d: Float[Tensor, "n 2"]
