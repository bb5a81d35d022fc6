"""Settings of bullet time."""

from __future__ import annotations

from dataclasses import dataclass

from neoverse_ns.errors import SettingsError
from neoverse_ns.trajectory.time_text import read_quantity


@dataclass
class BulletTimeConfig:
    """Which moment, and how the camera moves around it."""

    at: str = "50%"
    """The moment: seconds of the clip (1.5s), a sampled frame (12) or per cent (50%)."""
    trajectory: str = "orbit:degrees=20"
    """The camera's move from where the clip's camera is at that moment: a move (pan_left, orbit_right, ...), moves that
    know the scene ('orbit:degrees=20', 'dolly_zoom:travel=0.2', 'push_in + handheld'; ns-neoverse trajectory moves
    lists them), or a file of ns-neoverse trajectory make."""
    play_around: bool = False
    """Play the clip up to the moment, move and come back while it is frozen, and play on."""

    def validate(self) -> None:
        """Raise SettingsError where the moment is none, more than one, or behind every clip's end."""
        try:
            value, unit = read_quantity(self.at.lower())
        except SettingsError:
            raise SettingsError(f"--at takes one moment, such as 1.5s, 12 or 50%, got '{self.at}'") from None
        if unit == "%" and value > 100:
            raise SettingsError(f"--at {self.at} lies behind the end of the clip, which is at 100%")
