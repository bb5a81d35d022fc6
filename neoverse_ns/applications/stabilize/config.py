"""Settings of stabilisation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from neoverse_ns.errors import SettingsError

STEADIEST, LEAST_STEADY = 1.0, 0.25
"""Standard deviations in seconds of the smoothing between which it is chosen where nothing is asked for. The first
leaves nothing of footsteps and 1 % of a sway of two seconds, the second 1 % of footsteps (two a second)."""
_LARGEST_CROP = 0.9


@dataclass
class StabilizeConfig:
    """How steady, and what becomes of the borders."""

    seconds: float | None = None
    """How far the camera is smoothed: standard deviation of a Gaussian in time. More is steadier, and shows more of
    what the clip never saw. By default 1, and less (down to 0.25) where more than --max-crop would have to be cut
    away."""
    strength: float | None = None
    """The same in sampled frames of the clip, instead of --seconds."""
    lock: bool = False
    """Put the camera on a tripod, where the least of all frames is unseen, instead of smoothing its path."""
    crop: Literal["auto", "none"] = "auto"
    """What becomes of borders that the clip never saw: `auto` cuts away as little as will do, and enlarges the rest to
    the picture's size; `none` leaves them to the refiner, or as they are drawn."""
    max_crop: float = 0.2
    """The largest share of width and height that `auto` cuts away; what is still unseen then stays."""
    pixels: Literal["own", "drawn"] = "own"
    """What is shown where a frame's own camera saw it: the clip's own pixels, moved to where the steady camera sees
    them (`own`), or the drawing alone."""

    def validate(self) -> None:
        """Raise SettingsError where a value is out of range or two contradict each other."""
        if self.seconds is not None and self.strength is not None:
            raise SettingsError("give either --seconds or --strength: both say how far the camera is smoothed")
        for name in ("seconds", "strength"):
            value = getattr(self, name)
            if value is None:
                continue
            if self.lock:
                raise SettingsError(f"--lock stands still, which --{name} cannot make any smoother: leave one out")
            if not (math.isfinite(value) and value >= 0):
                raise SettingsError(f"--{name} must be a finite number from 0 up, got {value}")
        if not 0 <= self.max_crop <= _LARGEST_CROP:
            raise SettingsError(f"--max-crop must lie between 0 and {_LARGEST_CROP}, got {self.max_crop}")
