"""Dolly zoom: the camera travels while its focal length keeps the subject's size."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.trajectory.moves.choice import Subject, find_subject
from neoverse_ns.trajectory.moves.stage import Stage

NEAREST = 0.05
"""Share of the first distance to the subject below which a camera may not come."""


@dataclass(frozen=True)
class DollyZoom:
    """The camera travels along its axis, and zooms so that the subject keeps its size and all else does not."""

    subject: Subject = field(default_factory=Subject)
    travel: float = 0.4
    """Share of the way to the subject; below 0 away from it."""
    start: int | None = 0
    """Sampled frame at whose camera it begins; clip keeps the clip's own motion beneath it."""

    def validate(self) -> None:
        """Raise SettingsError where the camera would go through the subject."""
        if self.travel > 1 - NEAREST:
            raise SettingsError(
                f"travel must be at most {1 - NEAREST:g} of the way to the subject, got {self.travel:g}"
            )

    def apply(self, stage: Stage) -> Stage:
        """Focal lengths grow with the subject's depth: their ratio is its size in the picture.

        Raises:
            SettingsError: The subject lies behind a camera.
        """
        stage = stage.standing(self.start)
        path = find_subject(self.subject, stage, self.start)
        c2w = stage.base.c2w.to(torch.float64)
        depth = ((path.at(stage.times) - c2w[:, :3, 3]) * c2w[:, :3, 2]).sum(dim=-1)
        forward = self.travel * stage.shares * depth[0]
        left = depth - forward
        if not bool((left > NEAREST * depth[0].abs()).all()):
            frame = int((left <= NEAREST * depth[0].abs()).int().argmax())
            raise SettingsError(
                f"a dolly zoom needs its subject before the camera, but in frame {frame} it lies at depth "
                f"{float(left[frame]):.3g}: travel less, or choose another subject"
            )
        moved = c2w.clone()
        moved[:, :3, 3] += forward[:, None] * c2w[:, :3, 2]
        K = stage.base.K.to(torch.float64).clone()
        K[:, [0, 1], [0, 1]] = K[:1, [0, 1], [0, 1]] * (left / left[0])[:, None]
        return stage.about(path).with_cameras(moved, K)
