"""What may be asked of a trajectory on top of a name or a file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from neoverse_ns.errors import SettingsError
from neoverse_ns.trajectory.files import LONGEST
from neoverse_ns.trajectory.presets import MoveSize

DEFAULT_FPS = 16.0
"""Frames per second of a video where nothing says another rate: the published model's."""


@dataclass(frozen=True)
class TrajectoryOptions:
    """Changes to what a name or a file says; None leaves it as it is there.

    Attributes:
        num_frames: Length; a file's trajectory, its own time curve included, is played faster or slower.
        zoom: Focal length of the last frame over that of the first.
        size: How far presets go.
        time: Which moments of the clip are shown when; see :meth:`neoverse_ns.trajectory.time_curve.TimeCurve.parse`.
        fps: Frames per second. A path that was made for another rate keeps its seconds, and those of its time curve.
        duration: Length in seconds, from the first to the last frame, instead of `num_frames`.
        follow: What a relative move starts from while time is directed: the clip's own path from start to end (`path`),
            or the clip's camera at the moment shown (`time`).
        align_to: The world of a path of cameras: `clip` moves it onto the clip's cameras, `rigid` does so by one
            similarity alone, `none` takes it as this package's world, and a file of cameras in the path's world is
            brought to the clip in its stead. None does what its kind suggests.
        unit: What lengths of plain moves and of trajectory files are in where NeoVerse's network found the scene: the
            network's unit, as in the release, or the scene's, its median depth, as for every other reconstructor.
    """

    num_frames: int | None = None
    zoom: float | None = None
    size: MoveSize | None = None
    time: str | None = None
    fps: float | None = None
    duration: float | None = None
    follow: Literal["path", "time"] = "path"
    align_to: str | None = None
    unit: Literal["network", "scene"] = "network"

    def validate(self) -> None:
        """Raise SettingsError where a value is out of range."""
        if self.num_frames is not None and not 1 <= self.num_frames <= LONGEST:
            raise SettingsError(f"num_frames must lie in 1 to {LONGEST}, got {self.num_frames}")
        for name in ("zoom", "fps"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise SettingsError(f"{name} must be a finite number above 0, got {value}")
        if self.duration is not None:
            if self.num_frames is not None:
                raise SettingsError("give either num_frames or duration: with fps, each says what the other is")
            if not (math.isfinite(self.duration) and self.duration >= 0):
                raise SettingsError(f"duration must be a finite number of seconds from 0 up, got {self.duration}")
        size = self.size or MoveSize()
        for name in ("angle", "distance", "orbit_radius"):
            if not math.isfinite(getattr(size, name)):
                raise SettingsError(f"{name} must be a finite number, got {getattr(size, name)}")
