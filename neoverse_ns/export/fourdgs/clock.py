"""Seconds in the file, and the few places where something may begin or end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64
from numpy import ndarray

from neoverse_ns.export.scene import ExportScene

TICK = 0.004
"""Pitch of the centres in time that the format's default profile keeps, seconds; on it they are exact."""
_STEPS_A_FRAME = 8
_DIGITS = 6


@dataclass(frozen=True)
class Clock:
    """Seconds since the clip's first frame.

    Attributes:
        times: Normalised times of the sampled frames.
        seconds: The same in seconds, from 0.
        duration: Of the file: the last frame and half the time to the next, had there been one.
        step: Multiple of :data:`TICK` on which flat pieces end. Writers take time for every distinct end.
    """

    times: Float64[ndarray, " n"]
    seconds: Float64[ndarray, " n"]
    duration: float
    step: float

    def of(self, times: Float[ndarray, " n"]) -> Float64[ndarray, " n"]:
        """Seconds of normalised times; beyond the clip's ends they go on at its mean rate."""
        times = times.astype(np.float64)
        beyond = (np.minimum(times, 0) + np.maximum(times - 1, 0)) * max(self.seconds[-1], TICK)
        return rounded(np.interp(times, self.times, self.seconds) + beyond)

    def snapped(self, seconds: Float64[ndarray, " n"]) -> Float64[ndarray, " n"]:
        """The nearest place where a flat piece may end."""
        return rounded(np.rint(seconds / self.step) * self.step)


def rounded(seconds: Float64[ndarray, "*n"]) -> Float64[ndarray, "*n"]:
    """What ends where another begins must be the same number, or both exist there, or neither."""
    return np.round(seconds, _DIGITS)


def clock_of(scene: ExportScene) -> Clock:
    """The clock of a clip; one of a single frame shows it for a second."""
    seconds = rounded(scene.seconds.numpy() - float(scene.seconds[0]))
    gap = float(seconds[-1]) / (len(seconds) - 1) if len(seconds) > 1 else 2.0
    step = TICK * max(1, round(gap / _STEPS_A_FRAME / TICK))
    return Clock(scene.times.double().numpy(), seconds, round(float(seconds[-1]) + gap / 2, _DIGITS), step)
