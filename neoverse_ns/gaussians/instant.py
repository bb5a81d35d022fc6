"""A clip's Gaussians at one instant."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float, Int64
from torch import Tensor


@dataclass(frozen=True)
class GaussiansAtTime:
    """Ordinary 3D Gaussians, ready to draw.

    Attributes:
        means: Centres, world units.
        quats: Rotations wxyz, not necessarily of unit length.
        scales: Standard deviations, world units.
        opacities: In [0, 1], life span applied.
        sh: Spherical harmonics.
        index: Rows of the clip's Gaussians these are, ascending.
    """

    means: Float[Tensor, "m 3"]
    quats: Float[Tensor, "m 4"]
    scales: Float[Tensor, "m 3"]
    opacities: Float[Tensor, " m"]
    sh: Float[Tensor, "m b 3"]
    index: Int64[Tensor, " m"]
