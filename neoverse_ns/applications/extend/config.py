"""Settings of how a scene grows."""

from __future__ import annotations

import math
from dataclasses import dataclass

from neoverse_ns.errors import SettingsError


@dataclass
class GrowConfig:
    """How finished views become part of a scene."""

    hole_opacity: float = 0.5
    """Opacity of what the clip and earlier views gave below which a pixel is open: only there the scene grows."""
    most: int = 400_000
    """Bound on the number of new Gaussians, shared evenly among the views: where holes need more, they are fewer and
    wider."""

    def validate(self) -> None:
        """Raise SettingsError where a value is out of range."""
        if not (math.isfinite(self.hole_opacity) and 0 < self.hole_opacity <= 1):
            raise SettingsError(f"hole-opacity must lie above 0 and at most be 1, got {self.hole_opacity}")
        if self.most < 1:
            raise SettingsError(f"most must be 1 or more, got {self.most}")
