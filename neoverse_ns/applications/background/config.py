"""Settings of background extraction."""

from __future__ import annotations

import math
from dataclasses import dataclass

from neoverse_ns.errors import SettingsError


@dataclass
class BackgroundConfig:
    """Which pixels stand for what stands still."""

    witnesses: int = 24
    """Most frames of the clip that are looked at, evenly in time: more see behind slower things, and take longer."""
    tolerance: float = 0.08
    """Difference of colour, of 1, from what most frames saw up to which a frame keeps its own: lower finds fainter
    shadows of what moves, higher keeps more of every frame's own pixels."""
    nearest: int = 3
    """How many of the frames that agree are averaged, nearest first: 1 is sharpest, more is steadier."""

    def validate(self) -> None:
        """Raise SettingsError where a value makes no sense."""
        if self.witnesses < 2:
            raise SettingsError(f"background: witnesses must be at least 2 frames, got {self.witnesses}")
        if not (math.isfinite(self.tolerance) and 0 < self.tolerance <= 1):
            raise SettingsError(f"background: tolerance must lie above 0 and up to 1, got {self.tolerance}")
        if self.nearest < 1:
            raise SettingsError(f"background: nearest must be at least 1 frame, got {self.nearest}")
