"""Which instant of a clip is meant."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from neoverse_ns.errors import SettingsError


@dataclass
class Moment:
    """An instant of the clip, by time or by frame."""

    time: float | None = None
    """The instant, from 0 at the clip's first frame to 1 at its last, as the viewer's Time slider; by default 0.5."""
    frame: int | None = None
    """The instant as a sampled frame instead, counted from 0."""

    def validate(self) -> None:
        """Raise SettingsError where both are given, or the time lies outside the clip."""
        if self.time is not None and self.frame is not None:
            raise SettingsError(f"give either a time or a frame, not both ({self.time:g} and {self.frame})")
        if self.time is not None and not 0 <= self.time <= 1:
            raise SettingsError(f"time must lie between 0 (first frame) and 1 (last frame), got {self.time:g}")

    def among(self, times: Float[Tensor, " n"]) -> float:
        """Normalised time.

        Args:
            times: Of the clip's sampled frames.

        Raises:
            SettingsError: There is no such instant.
        """
        self.validate()
        if self.frame is None:
            return 0.5 if self.time is None else self.time
        self.check_frame(len(times))
        return float(times[self.frame])

    def check_frame(self, count: int) -> None:
        """Raise SettingsError where a clip of `count` sampled frames has no such frame."""
        if self.frame is not None and not 0 <= self.frame < count:
            raise SettingsError(f"frame must lie between 0 and {count - 1}, got {self.frame}")
