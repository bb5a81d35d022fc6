"""Circling a point."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.se3 import assemble, so3_exp
from neoverse_ns.trajectory.moves.choice import Subject, check_apart, find_subject
from neoverse_ns.trajectory.moves.stage import Stage
from neoverse_ns.trajectory.moves.subject import PointPath


@dataclass(frozen=True)
class Orbit:
    """The camera circles a point, evenly fast and on the true circle; the point stays where it is in the picture."""

    subject: Subject = field(default_factory=Subject)
    degrees: float = 360.0
    """How far, to the camera's right; below 0 to its left. More than a turn may be given."""
    radius: float = 1.0
    """Distance to the point in the last frame over that in the first; it changes evenly."""
    follow: bool = False
    """Whether the circle goes along with a point that moves."""
    start: int | None = 0
    """Sampled frame at whose camera it begins; clip keeps the clip's own motion beneath the circle."""

    def validate(self) -> None:
        """Raise SettingsError where a value is out of range."""
        if not (math.isfinite(self.radius) and self.radius > 0):
            raise SettingsError(f"radius must be a finite number above 0, got {self.radius:g}")

    def apply(self, stage: Stage) -> Stage:
        """Turn every camera about the axis that is up in the clip and goes through the point.

        Raises:
            SettingsError: There is no circle, since a camera stands in the point.
        """
        stage = stage.standing(self.start)
        path = find_subject(self.subject, stage, self.start)
        times = stage.times.to(torch.float64)
        # Where the camera stood when it had the point where it shall stay.
        seen_at = times[:1] if self.start is None else stage.clip_times[self.start : self.start + 1]
        centre = path.at(seen_at)
        c2w = stage.base.c2w.to(torch.float64)
        check_apart("an orbit", c2w[:, :3, 3] - centre, stage, self.start)
        angles = math.radians(self.degrees) * stage.shares
        turns = so3_exp(angles[:, None] * stage.up)
        reach = 1 + (self.radius - 1) * stage.shares
        arms = (turns @ (c2w[:, :3, 3] - centre)[..., None]).squeeze(-1) * reach[:, None]
        centres = path.at(times) if self.follow else centre
        circled = path if self.follow else PointPath.resting(centre[0])
        return stage.about(circled).with_cameras(assemble(turns @ c2w[:, :3, :3], centres + arms))
