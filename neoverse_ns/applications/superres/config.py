"""Settings of super-resolution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from neoverse_ns.errors import SettingsError


@dataclass
class SuperresConfig:
    """How frames are enlarged."""

    scale: Literal[2, 4] = 2
    """Times as many pixels along each side."""
    neighbours: int = 2
    """How many frames on each side, in time, lend what they saw between the pixels; 0 uses every frame alone."""
    rounds: int = 6
    """How often what the enlarged picture would look like small is compared with the frames."""
    tolerance: float = 0.02
    """Difference of colour, of 1, at which a neighbour's say has fallen to a third."""

    def validate(self) -> None:
        """Raise SettingsError where a value makes no sense."""
        if self.scale not in (2, 4):
            raise SettingsError(f"superres: scale must be 2 or 4, got {self.scale}")
        if self.neighbours < 0 or self.rounds < 1:
            raise SettingsError(
                f"superres: neighbours from 0 and rounds from 1 up, got {self.neighbours} and {self.rounds}"
            )
        if not (math.isfinite(self.tolerance) and self.tolerance > 0):
            raise SettingsError(f"superres: tolerance must be above 0, got {self.tolerance}")
