"""`PointPath`: where the thing that a camera cares for is at every time."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Float64
from torch import Tensor


@dataclass(frozen=True)
class PointPath:
    """A point of the world that may move.

    Attributes:
        times: Normalised times at which it is known, ascending; at least one.
        points: Where it is then, world units.
    """

    times: Float64[Tensor, " k"]
    points: Float64[Tensor, "k 3"]

    def at(self, times: Float[Tensor, " n"]) -> Float64[Tensor, "n 3"]:
        """Its places at any times: on straight lines in between, resting before the first and behind the last."""
        wanted = times.to(torch.float64)
        last = len(self.times) - 1
        after = torch.searchsorted(self.times, wanted).clamp(1, max(last, 1)).clamp(max=last)
        before = (after - 1).clamp(min=0)
        gap = self.times[after] - self.times[before]
        share = torch.where(gap > 0, (wanted - self.times[before]) / gap.clamp_min(1e-12), torch.zeros_like(wanted))
        return torch.lerp(self.points[before], self.points[after], share.clamp(0, 1)[:, None])

    @staticmethod
    def resting(point: Float[Tensor, "3"]) -> PointPath:
        """A point that never moves."""
        return PointPath(torch.zeros(1, dtype=torch.float64), point.to(torch.float64)[None])
