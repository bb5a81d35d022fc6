"""A clip's Gaussians at one instant, or at several."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

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


@dataclass(frozen=True)
class GaussiansAtTimes:
    """Gaussians of several times behind each other; index or iterate to get those of one time.

    Attributes:
        together: All of them. Rows of `index` ascend within one time.
        bounds: Where each time's Gaussians begin, then where the last one's end.
    """

    together: GaussiansAtTime
    bounds: list[int]

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def __getitem__(self, place: int) -> GaussiansAtTime:
        here = slice(*self.bounds[range(len(self))[place] :][:2])
        return GaussiansAtTime(**{f.name: getattr(self.together, f.name)[here] for f in fields(GaussiansAtTime)})

    def __iter__(self) -> Iterator[GaussiansAtTime]:
        return (self[place] for place in range(len(self)))
