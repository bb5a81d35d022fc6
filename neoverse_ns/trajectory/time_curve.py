"""`TimeCurve`: which moment of the clip a video shows when, whatever its camera does meanwhile."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.trajectory.time_text import Clock, Knot, read_knots

_SAME = 1e-9
"""Seconds of the video that rounding may put a frame before the knot it lies on."""


@dataclass(frozen=True)
class TimeCurve:
    """Moments of the clip over the seconds of a video: straight or eased pieces between knots, still beyond the ends.

    Attributes:
        video: Seconds of the video at the knots, not descending; where two are equal the moment jumps.
        clip: Normalised time of the clip at the knots, in [0, 1].
        eased: Of every piece, whether it starts and ends gently instead of running evenly.
        seconds: How long the curve lasts of itself; None where it fits any length, as a frozen moment does.
    """

    video: Float64[Tensor, " k"]
    clip: Float64[Tensor, " k"]
    eased: Bool[Tensor, " pieces"]
    seconds: float | None = None

    @staticmethod
    def parse(
        text: str,
        seconds: float,
        frames: Float[Tensor, " n"] | None = None,
        fps: float = 16.0,
        duration: float | None = None,
    ) -> TimeCurve:
        """Read a curve as users write it.

        - `as-filmed`; `slow 2x`, `fast 2x`: the whole clip at that speed; `freeze@1.5s`: one moment;
        - `fit`, `reverse`, `ease` (starts and ends gently), `ping-pong` (there and back): the whole clip over the
          video's length, where none is given in the time it was filmed in (`ping-pong`: twice that);
        - `0:0, 2s:1.5s, hold 2s, 6s:0 ease`: moments of the video, left, and what they show of the clip, right; in
          seconds (`2s`), frames (`40` or `40f`) or per cent (`50%`). `hold` goes on showing what was reached, and
          `ease` makes the piece that leads there start and end gently. Where the next moment is the one that a hold
          ends at, time jumps;
        - `0-40, 40 x 30, 40-80`: frames of the clip, one for each frame of the video; `40 x 30` shows frame 40 for 30
          frames more, and a stretch that begins where the one before ended does not show that frame again.

        Args:
            text: See above.
            seconds: Length of the clip, from its first to its last sampled frame.
            frames: Normalised times of the clip's sampled frames, which numbers of frames count; None: evenly spread at
                the rate of the video.
            fps: Rate of the video.
            duration: Length of the video, from its first to its last frame; None leaves it to the curve.

        Raises:
            SettingsError: The text is no curve, or asks for a moment that the clip does not have.
        """
        if not (math.isfinite(fps) and fps > 0):
            raise SettingsError(f"fps must be a finite number above 0, got {fps}")
        if duration is not None and not (math.isfinite(duration) and duration >= 0):
            raise SettingsError(f"the duration of a video must be a finite number of seconds, got {duration}")
        knots, length = read_knots(text, Clock(seconds, _frame_times(frames, seconds, fps), fps, duration))
        return TimeCurve.through(knots, length)

    @staticmethod
    def through(knots: list[Knot], seconds: float | None = None) -> TimeCurve:
        """The curve through knots.

        Raises:
            SettingsError: There is none, or they go back in the video's time.
        """
        if not knots:
            raise SettingsError("a time curve needs at least one moment")
        video = torch.tensor([knot.video for knot in knots], dtype=torch.float64)
        back = (video.diff() < -_SAME).nonzero()
        if len(back):
            where = int(back[0, 0])
            raise SettingsError(
                f"a time curve must go forward in the video's time (left): {float(video[where + 1]):g} s comes after "
                f"{float(video[where]):g} s"
            )
        clip = torch.tensor([knot.clip for knot in knots], dtype=torch.float64)
        return TimeCurve(
            video.cummax(0).values, clip, torch.tensor([knot.eased for knot in knots[1:]], dtype=torch.bool), seconds
        )

    def at(self, seconds: Float[Tensor, " m"]) -> Float64[Tensor, " m"]:
        """Normalised times of the clip at moments of the video; at a jump what comes after it.

        Args:
            seconds: From the video's first frame.
        """
        when = seconds.to(torch.float64)
        if len(self.video) == 1:
            return self.clip.expand(len(when)).clone()
        before = (torch.searchsorted(self.video - _SAME, when, right=True) - 1).clamp(0, len(self.video) - 2)
        start, gap = self.video[before], self.video.diff()[before]
        share = torch.where(gap > 0, ((when - start) / gap.clamp(min=_SAME)).clamp(0, 1), torch.ones_like(when))
        share = torch.where(self.eased[before], share * share * (3 - 2 * share), share)
        shown = torch.lerp(self.clip[before], self.clip[before + 1], share)
        shown = torch.where(when < self.video[0] - _SAME, self.clip[0], shown)
        return torch.where(when >= self.video[-1] - _SAME, self.clip[-1], shown)

    def jumps(self) -> list[float]:
        """Seconds of the video at which the moment changes at once."""
        there = (self.video.diff() <= _SAME) & (self.clip.diff().abs() > _SAME)
        return self.video[1:][there].tolist()


def frame_count(seconds: float, fps: float) -> int:
    """Frames of a video that runs from 0 to `seconds`: one at the start, and the last no later than the end."""
    return math.floor(seconds * fps + 1e-6) + 1


def _frame_times(frames: Float[Tensor, " n"] | None, seconds: float, fps: float) -> Float64[Tensor, " n"]:
    if frames is not None:
        return frames.to(torch.float64)
    count = max(round(seconds * fps), 0) + 1
    return torch.linspace(0, 1 if count > 1 else 0, count, dtype=torch.float64)
