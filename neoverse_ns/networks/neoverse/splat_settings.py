"""How predictions become Gaussians; the defaults are the release's."""

from __future__ import annotations

import math
from dataclasses import dataclass

from neoverse_ns.errors import SettingsError
from neoverse_ns.gaussians.transition import LIFE_SPAN_GAMMA


@dataclass(frozen=True)
class SplatSettings:
    """From dense predictions to a clip's Gaussians."""

    dynamic_threshold: float = 0.0
    """A Gaussian of a dynamic clip is constant where its speed, the larger of both directions, is below this: world
    units per gap between keyframes. 0 keeps none."""
    track_motion: bool = False
    """Global motion tracking: a constant Gaussian must also project onto slow pixels wherever it is visible."""
    tracked_threshold: float = 0.0
    """What counts as slow then; same unit."""
    occlusion_tolerance: float = 0.05
    """A Gaussian is visible in a frame up to so far behind that frame's depth map, world units."""
    voxel_size: float = 0.002
    """Gaussians of a static clip within one voxel of this side become one, world units."""
    life_span_gamma: float = LIFE_SPAN_GAMMA
    """Decay rate of opacity in time."""

    def validate(self) -> None:
        """Raise SettingsError where a value is out of range."""
        if not (math.isfinite(self.voxel_size) and self.voxel_size > 0):
            raise SettingsError(f"voxel_size must be positive, got {self.voxel_size}")
        for name in ("dynamic_threshold", "tracked_threshold", "occlusion_tolerance", "life_span_gamma"):
            if not getattr(self, name) >= 0:
                raise SettingsError(f"{name} must not be negative, got {getattr(self, name)}")
