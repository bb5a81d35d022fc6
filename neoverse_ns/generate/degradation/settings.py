"""How strongly and how often training pairs are degraded."""

from __future__ import annotations

import math
from dataclasses import dataclass

from neoverse_ns.errors import SettingsError


@dataclass
class DegradationSettings:
    """Ranges that every training pair draws from evenly, and probabilities. The defaults are NeoVerse's (section 3.2).

    Lengths are in units of the scene's scale, the median depth that the context cameras see.
    """

    distance: tuple[float, float] = (0.01, 0.1)
    """How far context cameras are moved."""
    rotation: float = 0.0
    """Largest angle, in degrees, by which moved cameras turn beside looking at the old view's centre."""
    visibility_margin: float = 0.1
    """A Gaussian this much behind the depth drawn at its pixel still counts as seen."""
    far_margin: float = 0.03
    """The same as a share of that depth, where it is larger: far away, one pixel's depths span more than any fixed
    margin."""
    cull_only: float = 0.3
    """Probability that what the moved cameras do not see is left out, and nothing else done."""
    kernel: tuple[int, int] = (11, 51)
    """Side in pixels of the box filter over depth, otherwise; even ones are made odd."""
    resize: bool = True
    """Scale Gaussians with the depth they are moved to, as a reconstruction with that depth would have made them."""
    alpha: float = 0.5
    """Opacity above which a pixel may be trusted."""
    colour_distance: tuple[float, float] = (50.0, 100.0)
    """Perceptual distance to the true colour (0 to 765) above which a pixel is not trusted."""
    drop_prompt: float = 0.1
    """Probability of training without a prompt."""
    drop_mask: float = 0.2
    """Probability of training with nothing marked as trusted."""
    drop_conditions: float = 0.05
    """Probability of training without any condition."""

    def validate(self) -> None:
        """Raise SettingsError where a value is out of range."""
        for name in ("distance", "kernel", "colour_distance"):
            low, high = getattr(self, name)
            least = 3 if name == "kernel" else 0
            if not (math.isfinite(low) and math.isfinite(high) and least <= low <= high):
                raise SettingsError(f"{name} must be two ascending numbers from {least} on, got {low} and {high}")
        for name in ("rotation", "visibility_margin", "far_margin"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise SettingsError(f"{name} must be a finite number, 0 or more, got {value}")
        for name in ("cull_only", "alpha", "drop_prompt", "drop_mask", "drop_conditions"):
            value = getattr(self, name)
            if not (math.isfinite(value) and 0 <= value <= 1):
                raise SettingsError(f"{name} must lie in [0, 1], got {value}")
