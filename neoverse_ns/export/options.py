"""What people choose about an export."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Float64
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.export.moment import Moment

MOST_INSTANTS = 100_000
"""A slip of the keyboard shall not fill the disk."""


@dataclass
class ExportOptions(Moment):
    """Which instants are written, and of how many Gaussians each.

    Formats of one instant take `time` or `frame`; those that move take `fps` or `every`.
    """

    fps: float | None = None
    """Instants a second of the clip, between its frames too; by default the clip's sampled frames themselves."""
    every: int | None = None
    """Only every n-th sampled frame."""
    max_gaussians: int | None = None
    """At most so many Gaussians an instant (a file that moves: in all); those that cover least are left out."""
    up: Literal["y", "z"] = "y"
    """Which axis points up in formats that say so."""
    trajectory: str | None = None
    """A camera move, or a file of a trajectory or camera path, instead of the clip's own camera."""

    def validate(self) -> None:
        """Raise SettingsError where values are out of range or contradict each other."""
        super().validate()
        if self.fps is not None and self.every is not None:
            raise SettingsError(f"give either --fps or --every, not both ({self.fps:g} and {self.every})")
        if self.fps is not None and not (math.isfinite(self.fps) and self.fps > 0):
            raise SettingsError(f"fps must be a finite number above 0, got {self.fps:g}")
        if self.every is not None and self.every < 1:
            raise SettingsError(f"every must be 1 or more, got {self.every}")
        if self.max_gaussians is not None and self.max_gaussians < 1:
            raise SettingsError(f"max-gaussians must be 1 or more, got {self.max_gaussians}")

    def instants(self, times: Float[Tensor, " n"], seconds: Float64[Tensor, " n"]) -> list[float]:
        """Normalised times of a file that moves, ascending; the first is the clip's first frame's.

        Args:
            times: Of the clip's sampled frames, ascending.
            seconds: The same in the source.

        Raises:
            SettingsError: The options contradict each other, or ask for too many instants.
        """
        self.validate()
        if self.fps is None:
            return [float(time) for time in times[:: self.every or 1]]
        length = float(seconds[-1] - seconds[0])
        # The last frame counts where rounding alone puts it behind the last step.
        count = int(length * self.fps + 1e-6) + 1
        if count > MOST_INSTANTS:
            raise SettingsError(f"{self.fps:g} instants a second are {count:,} in all; {MOST_INSTANTS:,} are the most")
        wanted = np.arange(count) / self.fps + float(seconds[0])
        return [float(time) for time in np.interp(wanted, seconds.numpy(), times.double().numpy())]
