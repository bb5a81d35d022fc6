"""Points and where each is seen: what a sparse model has beside its cameras."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float64, Int64, UInt8
from torch import Tensor


@dataclass(frozen=True)
class Tracks:
    """Points of the world that stand still, and their observations in frames.

    Attributes:
        points: Positions in the world.
        colours: RGB in [0, 255].
        errors: Mean distance in pixels between where a point is seen and where its cameras project it.
        point: Of every observation, which of `points` is seen.
        frame: Of every observation, in which frame; observations are sorted by frame, then by point, and no frame sees
            a point twice.
        uv: Of every observation, where: pixels, pixel centres at +0.5.
    """

    points: Float64[Tensor, "p 3"]
    colours: UInt8[Tensor, "p 3"]
    errors: Float64[Tensor, " p"]
    point: Int64[Tensor, " m"]
    frame: Int64[Tensor, " m"]
    uv: Float64[Tensor, "m 2"]

    def __len__(self) -> int:
        return len(self.points)

    @property
    def lengths(self) -> Int64[Tensor, " p"]:
        """How many frames see each point."""
        return torch.bincount(self.point, minlength=len(self))

    def only(self, keep: Bool[Tensor, " p"]) -> Tracks:
        """The chosen points with their observations."""
        number = keep.to(torch.int64).cumsum(0) - 1
        seen = keep[self.point]
        return Tracks(
            points=self.points[keep],
            colours=self.colours[keep],
            errors=self.errors[keep],
            point=number[self.point[seen]],
            frame=self.frame[seen],
            uv=self.uv[seen],
        )


def no_tracks() -> Tracks:
    """A model without points."""
    whole, real = torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.float64)
    return Tracks(
        points=real.reshape(0, 3),
        colours=torch.zeros(0, 3, dtype=torch.uint8),
        errors=real,
        point=whole,
        frame=whole,
        uv=real.reshape(0, 2),
    )
