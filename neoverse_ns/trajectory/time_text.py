"""The words that time curves are written in."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.trajectory.trajectory import between

_QUANTITY = re.compile(r"(\d+\.?\d*|\.\d+)\s*(s|f|%|)", re.ASCII)
_STRETCH = re.compile(r"(\d+)f?\s*-\s*(\d+)f?", re.ASCII)
_REPEAT = re.compile(r"(\d+)f?\s*x\s*(\d+)", re.ASCII)
_SPEED = re.compile(r"(slow|fast)\s+(\d+\.?\d*|\.\d+)\s*x?", re.ASCII)
_ROUNDING = 1e-3
"""Share of the clip's length by which a moment may lie behind its end, since lengths are told in few digits."""
_LONGEST = 100_000
"""More repeats of a frame are taken for a mistake."""

HELP = (
    "write a name (as-filmed, fit, freeze@1.5s, slow 2x, fast 2x, reverse, ease, ping-pong), moments of video and clip "
    "('0:0, 2s:1.5s, hold 2s, 6s:0'), or frames of the clip ('0-40, 40 x 30, 40-80')"
)


@dataclass(frozen=True)
class Knot:
    """One moment of a curve.

    Attributes:
        video: Seconds of the video.
        clip: Normalised time of the clip.
        eased: Whether the piece that leads here starts and ends gently.
    """

    video: float
    clip: float
    eased: bool = False


@dataclass(frozen=True)
class Clock:
    """What units mean.

    Attributes:
        seconds: Length of the clip, from its first to its last sampled frame.
        frames: Normalised times of those frames.
        fps: Frames per second of the video.
        duration: Length of the video in seconds; None where it is not known.
    """

    seconds: float
    frames: Float64[Tensor, " n"]
    fps: float
    duration: float | None

    def video(self, text: str) -> float:
        """Seconds of the video that a quantity means."""
        value, unit = read_quantity(text)
        if unit == "s":
            return value
        if unit != "%":
            return value / self.fps
        if self.duration is None:
            raise SettingsError(f"'{text}' is a share of the video, whose length is not known: give its duration, too")
        return value / 100 * self.duration

    def clip(self, text: str) -> float:
        """Normalised time of the clip that a quantity means."""
        value, unit = read_quantity(text)
        if unit not in ("s", "%"):
            return self.frame(value)
        end, limit = (100.0, "100 %") if unit == "%" else (self.seconds, f"{self.seconds:.4g} s")
        if value > end * (1 + _ROUNDING):
            raise SettingsError(f"'{text.strip()}' lies behind the end of the clip, which is at {limit}")
        return min(value / end, 1.0) if end > 0 else 0.0

    def frame(self, number: int | float) -> float:
        """Normalised time of a sampled frame of the clip, or between two of them."""
        last = len(self.frames) - 1
        if number > last:
            raise SettingsError(f"the clip has no frame {number:g}: its sampled frames are 0 to {last}")
        return float(between(self.frames, torch.tensor([float(number)], dtype=torch.float64))[0])


def read_knots(text: str, clock: Clock) -> tuple[list[Knot], float | None]:
    """Knots of a curve, and how long it lasts of itself; see :meth:`neoverse_ns.trajectory.time_curve.TimeCurve.parse`.

    Raises:
        SettingsError: The text cannot be read; says which part, and what is possible.
    """
    words = " ".join(text.lower().split())
    try:
        named = _named(words, clock)
        if named is not None:
            return named
        parts = [part.strip() for part in words.split(",")]
        if any(_STRETCH.fullmatch(part) or _REPEAT.fullmatch(part) for part in parts):
            knots = _frames(parts, clock)
        else:
            knots = _pieces(parts, clock)
    except SettingsError as error:
        raise SettingsError(f"time '{text}': {error}") from error
    return knots, knots[-1].video or None


def read_quantity(text: str) -> tuple[float, str]:
    """A number and its unit: `s`, `%`, and `f` or nothing for frames.

    Raises:
        SettingsError: The text is none.
    """
    found = _QUANTITY.fullmatch(text.strip())
    if found is None or not math.isfinite(float(found[1])):
        raise SettingsError(f"'{text.strip()}' is no moment: write seconds (2s), frames (40) or per cent (50%)")
    return float(found[1]), found[2]


def _named(words: str, clock: Clock) -> tuple[list[Knot], float | None] | None:
    """A curve with a name; None where it is none."""
    if words.startswith("freeze@"):
        return [Knot(0.0, clock.clip(words.removeprefix("freeze@")))], None
    speed = _SPEED.fullmatch(words)
    if speed is not None and float(speed[2]) > 0:
        factor = float(speed[2]) if speed[1] == "slow" else 1 / float(speed[2])
        return _run([0.0, 1.0], clock.seconds * factor)
    length = clock.seconds if clock.duration is None else clock.duration
    if words == "as-filmed":
        return _run([0.0, 1.0], clock.seconds)
    if words == "ping-pong":
        return _run([0.0, 1.0, 0.0], 2 * clock.seconds if clock.duration is None else clock.duration)
    if words in ("fit", "ease", "reverse"):
        return _run([1.0, 0.0] if words == "reverse" else [0.0, 1.0], length, eased=words == "ease")
    return None


def _run(clip: list[float], length: float, eased: bool = False) -> tuple[list[Knot], float | None]:
    """Through these moments, evenly spread; a clip without length stays at its only moment."""
    if length <= 0:
        return [Knot(0.0, clip[0])], None
    count = len(clip) - 1
    return [Knot(length * i / count, moment, eased) for i, moment in enumerate(clip)], length


def _pieces(parts: list[str], clock: Clock) -> list[Knot]:
    """`video:clip`, `video:clip ease` and `hold length`."""
    knots: list[Knot] = []
    for part in parts:
        if part.startswith("hold "):
            if not knots:
                raise SettingsError("'hold' needs a moment before it to hold: begin with 0:0")
            knots.append(Knot(knots[-1].video + clock.video(part.removeprefix("hold ")), knots[-1].clip))
            continue
        eased = part.endswith(" ease")
        video, colon, clip = part.removesuffix(" ease").partition(":")
        if not colon:
            raise SettingsError(f"'{part}' is not understood; {HELP}")
        knots.append(Knot(clock.video(video), clock.clip(clip), eased))
    return knots


def _frames(parts: list[str], clock: Clock) -> list[Knot]:
    """`first-last` and `frame x times`: a frame of the clip for each of the video."""
    shown: list[int] = []
    for part in parts:
        stretch, repeat = _STRETCH.fullmatch(part), _REPEAT.fullmatch(part)
        if stretch is not None:
            first, last = int(stretch[1]), int(stretch[2])
            clock.frame(max(first, last))
            step = 1 if last >= first else -1
            run = list(range(first, last + step, step))
            shown += run[1:] if shown and shown[-1] == first else run
        elif repeat is not None:
            times = int(repeat[2])
            if not 1 <= times <= _LONGEST:
                raise SettingsError(f"'{part}' must repeat a frame 1 to {_LONGEST} times")
            shown += [int(repeat[1])] * times
        else:
            raise SettingsError(f"'{part}' is not understood; {HELP}")
    return [Knot(i / clock.fps, clock.frame(frame)) for i, frame in enumerate(shown)]
