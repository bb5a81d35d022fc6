"""How often and how strongly pictures are worn."""

from __future__ import annotations

import math
from dataclasses import dataclass

from neoverse_ns.errors import SettingsError


@dataclass
class WearConfig:
    """Each kind of wear has a probability of its own, and a range that its strength is drawn from evenly."""

    share: float = 0.0
    """Probability that a clip is worn at all; 0 is off."""
    blur: float = 0.4
    """Probability of motion blur."""
    shutter: tuple[float, float] = (0.3, 1.5)
    """How long the shutter is open, in intervals between frames."""
    shake: float = 0.02
    """Longest way of a shaken camera between frames, as a share of the picture's longer side; it blurs clips whose
    motion is not known."""
    low_resolution: float = 0.3
    """Probability of fewer pixels."""
    scale: tuple[float, float] = (0.35, 0.85)
    """Their share along each side."""
    exposure: float = 0.4
    """Probability of a wrong exposure."""
    stops: float = 0.8
    """Largest error of it, in powers of two, either way."""
    drift: float = 0.3
    """Largest amplitude, in powers of two, of its going up and down along the clip."""
    gamma: tuple[float, float] = (0.8, 1.25)
    """Exponent of a tone curve."""
    noise: float = 0.5
    """Probability of noise."""
    electrons: tuple[float, float] = (100.0, 5000.0)
    """White in electrons, which sets the shot noise; drawn evenly on a logarithmic scale."""
    read: tuple[float, float] = (0.0, 0.02)
    """Standard deviation of what does not depend on light, in linear light where white is 1."""
    compression: float = 0.5
    """Probability of coding losses."""
    quality: tuple[int, int] = (12, 75)
    """JPEG quality."""

    def validate(self) -> None:
        """
        Raises:
            SettingsError: A value is out of range.
        """
        for name in ("share", "blur", "low_resolution", "exposure", "noise", "compression"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingsError(f"wear.{name} must lie in 0..1, got {getattr(self, name)}")
        for name in ("shake", "stops", "drift"):
            if not 0 <= getattr(self, name) < math.inf:
                raise SettingsError(f"wear.{name} must be a finite number, 0 or more, got {getattr(self, name)}")
        bounds = {"shutter": (0, 16), "scale": (0.01, 1), "gamma": (0.1, 10), "electrons": (1, 1e9), "read": (0, 1)}
        for name, (least, most) in {**bounds, "quality": (1, 100)}.items():
            low, high = getattr(self, name)
            if not least <= low <= high <= most:
                raise SettingsError(
                    f"wear.{name} must be two ascending numbers in {least:g}..{most:g}, got {low}, {high}"
                )
