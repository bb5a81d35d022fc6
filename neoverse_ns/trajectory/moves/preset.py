"""The presets, as moves that may stand in a row with others."""

from __future__ import annotations

from dataclasses import dataclass, make_dataclass
from typing import Any, ClassVar

import torch

from neoverse_ns.trajectory.moves.stage import Stage
from neoverse_ns.trajectory.presets import MOVES, MoveSize, preset


@dataclass(frozen=True)
class Preset:
    """A preset, relative to the camera of every frame."""

    name: ClassVar[str] = "static"
    angle: float = MoveSize.angle
    """Degrees of a pan, tilt or orbit."""
    distance: float = MoveSize.distance
    """World units of a straight move."""
    orbit_radius: float = MoveSize.orbit_radius
    """World units from the camera to the point an orbit keeps in view."""
    start: int | None = None
    """Sampled frame at whose camera it begins; clip keeps the clip's own motion beneath it."""

    def validate(self) -> None:
        """Any size will do."""

    def apply(self, stage: Stage) -> Stage:
        """Move every camera in its own axes."""
        stage = stage.standing(self.start)
        size = MoveSize(self.angle, self.distance, self.orbit_radius)
        return stage.with_cameras(stage.base.c2w.to(torch.float64) @ preset(self.name, len(stage), size))


def _named(name: str) -> type[Any]:
    return make_dataclass(name, [], bases=(Preset,), namespace={"name": name}, frozen=True)


PRESETS: dict[str, type[Any]] = {name: _named(name) for name in MOVES}
"""Every preset by name."""
