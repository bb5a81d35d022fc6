"""Keeping something in the middle of the picture while it moves."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Float64
from torch import Tensor
from torch.nn import functional

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry import quaternions
from neoverse_ns.geometry.se3 import assemble
from neoverse_ns.trajectory.moves.choice import Subject, find_subject
from neoverse_ns.trajectory.moves.stage import Stage
from neoverse_ns.trajectory.stabilise import stabilise


@dataclass(frozen=True)
class LookAt:
    """The camera stays on its path and turns to the subject, which stays in the middle of the picture."""

    subject: Subject = field(default_factory=Subject)
    smooth: float = 0.3
    """Seconds over which the subject's motion is smoothed, as an operator's hand does; 0 follows every jerk."""
    share: float = 1.0
    """How much of the way the camera turns to it: 0.5 leaves it half as far from the middle."""
    start: int | None = None
    """Sampled frame at whose camera it stands; clip goes along the clip's own path."""

    def validate(self) -> None:
        """Raise SettingsError where a value is out of range."""
        if self.smooth < 0:
            raise SettingsError(f"smooth must be 0 seconds or more, got {self.smooth:g}")
        if not 0 <= self.share <= 1:
            raise SettingsError(f"share must lie between 0 and 1, got {self.share:g}")

    def apply(self, stage: Stage) -> Stage:
        """Turn every camera."""
        stage = stage.standing(self.start)
        path = find_subject(self.subject, stage, self.start)
        target = smoothed(path.at(stage.times), self.smooth * _rate(stage))
        c2w = stage.base.c2w.to(torch.float64)
        aimed = looking_at(c2w, target)
        R = quaternions.slerp(quaternions.from_matrix(c2w[:, :3, :3]), quaternions.from_matrix(aimed), self.share)
        return stage.about(path).with_cameras(assemble(quaternions.to_matrix(R), c2w[:, :3, 3]))


def looking_at(c2w: Float64[Tensor, "n 4 4"], target: Float64[Tensor, "n 3"]) -> Float64[Tensor, "n 3 3"]:
    """Axes of cameras in the same places that have `target` in the middle, and what was down below it."""
    forward = functional.normalize(target - c2w[:, :3, 3], dim=-1)
    right = functional.normalize(torch.linalg.cross(c2w[:, :3, 1], forward), dim=-1)
    # Straight above or below, or with the target in the camera itself, there is no such direction.
    lost = right.norm(dim=-1) < 0.5
    right = torch.where(lost[:, None], c2w[:, :3, 0], right)
    axes = torch.stack([right, torch.linalg.cross(forward, right), forward], dim=-1)
    return torch.where(lost[:, None, None], c2w[:, :3, :3], axes)


def smoothed(points: Float64[Tensor, "n 3"], frames: float) -> Float64[Tensor, "n 3"]:
    """Points of successive frames, smoothed as :func:`neoverse_ns.trajectory.stabilise.stabilise` does it."""
    unturned = torch.eye(3, dtype=torch.float64).expand(len(points), 3, 3)
    return stabilise(assemble(unturned, points), frames)[:, :3, 3]


def _rate(stage: Stage) -> float:
    """New frames per second."""
    length: Float[Tensor, ""] = stage.seconds[-1] - stage.seconds[0]
    return (len(stage) - 1) / float(length) if float(length) > 0 else 0.0
