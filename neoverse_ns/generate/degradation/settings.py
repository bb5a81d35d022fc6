"""How strongly and how often training pairs are degraded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from neoverse_ns.errors import SettingsError


@dataclass
class DegradationSettings:
    """Ranges that every training pair draws from evenly, and probabilities: NeoVerse's (section 3.2).

    How scenes are worn by default differs from the released program in what is said below; :func:`published` does not.
    """

    enabled: bool = True
    """Whether scenes are degraded at all. Without, refiners learn from clean drawings, which shows what degrading them
    is worth; what is drawn at random stays the same."""
    distance: tuple[float, float] = (0.01, 0.1)
    """How far context cameras are moved."""
    unit: Literal["scene", "network"] = "scene"
    """Unit of distances and margins: the scene's scale, the median depth that the context cameras see; or, as released,
    that of NeoVerse's network where it found the scene, and the scale elsewhere."""
    level: Literal["first", "world"] = "first"
    """Moved cameras stay level as the first camera is; or, as released, at right angles to the world's second axis,
    which the network that finds the world makes nearly the same."""
    rotation: float = 0.0
    """Largest angle, in degrees, by which moved cameras turn beside looking at the old view's centre."""
    visibility_margin: float = 0.1
    """A Gaussian this much behind the depth drawn at its pixel still counts as seen."""
    far_margin: float = 0.03
    """The same as a share of that depth, where it is larger: far away, one pixel's depths span more than any fixed
    margin. Released: 0."""
    cull_only: float = 0.3
    """Probability that what the moved cameras do not see is left out, and nothing else done."""
    kernel: tuple[int, int] = (11, 51)
    """Side in pixels of the box filter over depth, otherwise; even ones are made odd."""
    leave_out_holes: bool = True
    """Average depth over what is covered alone. Released: no, so that a hole draws its border toward the camera."""
    pixels: Literal["between", "nearest"] = "between"
    """What is read of depth maps at a Gaussian: their value at its very place, if that lies in the picture; or, as
    released, that of the nearest pixel, if any of the Gaussian can be in the picture, and it moves to that pixel, too,
    whose integer numbers count as its place."""
    resize: bool = True
    """Scale Gaussians with the depth they are moved to, as a reconstruction with that depth would have made them.
    Released: no."""
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


def published() -> DegradationSettings:
    """As the released program degrades scenes."""
    return DegradationSettings(
        unit="network", level="world", far_margin=0.0, leave_out_holes=False, pixels="nearest", resize=False
    )
