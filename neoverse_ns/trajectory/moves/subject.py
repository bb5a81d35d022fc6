"""`PointPath`: where the thing that a camera cares for is at every time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.trajectory.fields import get_list, get_number, get_object


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

    def moved(self, sim3: Sim3) -> PointPath:
        """The same point in another world."""
        return PointPath(self.times, sim3.apply_points(self.points))

    def to_document(self) -> dict[str, list[Any]]:
        """Its JSON form; :func:`parse_subject` reads it back."""
        return {"times": self.times.tolist(), "points": self.points.tolist()}


def parse_subject(value: Any) -> PointPath:
    """A point as trajectory files hold it: `times`, normalised and ascending, and `points`, in the scene's world.

    Raises:
        SettingsError: A field is missing or wrong; the message names it.
    """
    fields = get_object(value, "subject")
    times = [get_number(t, f"subject.times[{i}]") for i, t in enumerate(get_list(fields.get("times"), "subject.times"))]
    places = get_list(fields.get("points"), "subject.points")
    rows = [get_list(row, f"subject.points[{i}]") for i, row in enumerate(places)]
    if not times or len(times) != len(rows) or any(later <= sooner for sooner, later in pairwise(times)):
        raise SettingsError("'subject' needs ascending times, at least one, and as many points")
    if any(len(row) != 3 for row in rows):
        raise SettingsError("every one of 'subject.points' must have 3 numbers")
    points = [[get_number(x, f"subject.points[{i}][{k}]") for k, x in enumerate(row)] for i, row in enumerate(rows)]
    return PointPath(torch.tensor(times, dtype=torch.float64), torch.tensor(points, dtype=torch.float64))
