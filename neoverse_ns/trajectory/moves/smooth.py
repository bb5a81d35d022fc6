"""The clip's own path, smoother."""

from __future__ import annotations

from dataclasses import dataclass

from neoverse_ns.errors import SettingsError
from neoverse_ns.trajectory.moves.stage import Stage
from neoverse_ns.trajectory.stabilise import stabilise


@dataclass(frozen=True)
class Smooth:
    """The camera's path without its shake."""

    frames: float = 2.0
    """How far it is smoothed: standard deviation in sampled frames of the clip; 0 changes nothing."""

    def validate(self) -> None:
        """Raise SettingsError where it is negative."""
        if self.frames < 0:
            raise SettingsError(f"frames must be 0 or more, got {self.frames:g}")

    def apply(self, stage: Stage) -> Stage:
        """Smooth positions and rotations over neighbouring frames."""
        finer = (len(stage) - 1) / max(len(stage.clip) - 1, 1)
        return stage.with_cameras(stabilise(stage.base.c2w, self.frames * finer))
