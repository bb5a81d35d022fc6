"""How predictions are drawn in training."""

from __future__ import annotations

import math
from dataclasses import dataclass

from neoverse_ns.errors import SettingsError
from neoverse_ns.gaussians.transition import LIFE_SPAN_GAMMA


@dataclass(frozen=True)
class DrawingConfig:
    """The defaults are the release's; the switches are for ablations."""

    motion: bool = True
    """Run the motion branch; without it Gaussians stay where they are and fade."""
    intermediates: bool = True
    """In training also draw the frames between the keyframes; validation always does."""
    life_span_gamma: float = LIFE_SPAN_GAMMA
    """Decay rate of opacity in time."""
    voxel_size: float = 0.002
    """Gaussians of a static clip within one voxel of this side become one, units of the sample."""
    depth_tolerance: float = 0.1
    """A keyframe sees a point of an intermediate frame within this of its own depth, units of the sample."""

    def validate(self) -> None:
        """Raise SettingsError where a value is out of range."""
        for name in ("voxel_size", "depth_tolerance"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise SettingsError(f"{name} must be a finite number above 0, got {getattr(self, name)}")
        if not (math.isfinite(self.life_span_gamma) and self.life_span_gamma >= 0):
            raise SettingsError(f"life_span_gamma must be a finite number, 0 or more, got {self.life_span_gamma}")
