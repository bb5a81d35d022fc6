"""A camera on a crane: it rises on an arc, sets off and arrives gently, and keeps its subject in view."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Float64
from torch import Tensor
from torch.nn import functional

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.se3 import assemble, so3_exp
from neoverse_ns.trajectory.moves.choice import Subject, check_apart, find_subject
from neoverse_ns.trajectory.moves.stage import Stage


@dataclass(frozen=True)
class Crane:
    """The camera hangs at the end of an arm that turns upwards; it sets off and arrives at rest."""

    subject: Subject = field(default_factory=Subject)
    rise: float = 0.3
    """How high it ends, in units of the distance to the subject; below 0 it sinks."""
    arm: float = 1.0
    """Length of the arm, which reaches back from the camera, in the same units."""
    aim: bool = True
    """Whether the camera tilts so that the subject keeps its height in the picture."""
    start: int | None = None
    """Sampled frame at whose camera it stands; clip keeps the clip's own motion beneath it."""

    def validate(self) -> None:
        """Raise SettingsError where the arm does not reach."""
        if not self.arm > 0:
            raise SettingsError(f"arm must be above 0, got {self.arm:g}")
        if abs(self.rise) > self.arm:
            raise SettingsError(f"an arm of {self.arm:g} does not reach a rise of {self.rise:g}: make it longer")

    def apply(self, stage: Stage) -> Stage:
        """Move every camera on the arc, then tilt it by what the subject has sunk.

        Raises:
            SettingsError: The arc has no size, since the camera stands in its subject.
        """
        stage = stage.standing(self.start)
        path = find_subject(self.subject, stage, self.start)
        target = path.at(stage.times)
        c2w = stage.base.c2w.to(torch.float64)
        check_apart("a crane", target[:1] - c2w[:1, :3, 3], stage, self.start)
        distance = (target[0] - c2w[0, :3, 3]).norm()
        angle = math.asin(self.rise / self.arm) * eased(stage.shares)
        level = functional.normalize(_across(c2w[:, :3, 2], stage.up), dim=-1)
        lift = angle.sin()[:, None] * stage.up - (1 - angle.cos())[:, None] * level
        centres = c2w[:, :3, 3] + self.arm * distance * lift
        R = c2w[:, :3, :3]
        if self.aim:
            sunk = _height(target, c2w[:, :3, 3], R) - _height(target, centres, R)
            # About the camera's x axis a positive turn looks up.
            R = R @ so3_exp(torch.stack([-sunk, 0 * sunk, 0 * sunk], dim=-1))
        return stage.about(path).with_cameras(assemble(R, centres))


def eased(shares: Float64[Tensor, " n"]) -> Float64[Tensor, " n"]:
    """From 0 to 1 with rest and no force at either end (Flash and Hogan 1985: least jerk)."""
    return shares**3 * (10 - 15 * shares + 6 * shares**2)


def _across(vectors: Float64[Tensor, "n 3"], up: Float64[Tensor, "3"]) -> Float64[Tensor, "n 3"]:
    """What of them is level."""
    return vectors - (vectors @ up)[:, None] * up


def _height(
    target: Float64[Tensor, "n 3"], centres: Float64[Tensor, "n 3"], R: Float64[Tensor, "n 3 3"]
) -> Float64[Tensor, " n"]:
    """Angle by which cameras see the target above their axes, radians."""
    seen = (R.mT @ (target - centres)[..., None]).squeeze(-1)
    return torch.atan2(-seen[:, 1], seen[:, 2])
