"""The size that pictures along a trajectory shall have, as a user asks for it."""

from __future__ import annotations

from dataclasses import dataclass

from neoverse_ns.errors import SettingsError
from neoverse_ns.trajectory.trajectory import Keep, Trajectory

LARGEST = 16384


@dataclass
class PictureSize:
    """Size of the pictures; by default the clip's."""

    width: int | None = None
    """Pixels; where only the height is given, as many as keep the clip's shape."""
    height: int | None = None
    """Pixels; where only the width is given, as many as keep the clip's shape."""
    keep: Keep = "vertical"
    """Which angle of view stays where the shape differs: `vertical`, `horizontal`, or `all`, which shows everything
    that the clip's shape does and more beside it."""

    def validate(self) -> None:
        """Raise SettingsError where a side is out of range."""
        for name in ("width", "height"):
            side = getattr(self, name)
            if side is not None and not (2 <= side <= LARGEST and side % 2 == 0):
                raise SettingsError(f"--{name} must be an even number from 2 to {LARGEST}, got {side}")

    def apply(self, trajectory: Trajectory) -> Trajectory:
        """The trajectory at this size.

        Raises:
            SettingsError: A side is out of range.
        """
        self.validate()
        if self.width is None and self.height is None:
            return trajectory
        own = trajectory.cameras
        width = self.width or _even(own.width * (self.height or 0) / own.height)
        height = self.height or _even(own.height * (self.width or 0) / own.width)
        return trajectory.resized(width, height, self.keep)


def _even(side: float) -> int:
    """The nearest number of pixels that video coders take."""
    return max(2 * round(side / 2), 2)
