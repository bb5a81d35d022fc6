"""How long a video along a path is, how fast, and which moments of the clip its frames show."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from neoverse_ns.console import warn
from neoverse_ns.errors import SettingsError
from neoverse_ns.trajectory.clip_frames import ClipFrames
from neoverse_ns.trajectory.files import LONGEST
from neoverse_ns.trajectory.options import DEFAULT_FPS, TrajectoryOptions
from neoverse_ns.trajectory.time_curve import TimeCurve, frame_count
from neoverse_ns.trajectory.trajectory import Trajectory


@dataclass(frozen=True)
class Direction:
    """What a path becomes.

    Attributes:
        count: Number of frames; None leaves the path's own.
        fps: Frames per second; None where nothing says it.
        step: Frames of the path from one frame to the next; None spreads `count` frames over it.
        moments: Normalised time of every frame; None leaves the path's own.
    """

    count: int | None = None
    fps: float | None = None
    step: float | None = None
    moments: Float64[Tensor, " n"] | None = None

    def apply(self, trajectory: Trajectory) -> Trajectory:
        """The path so directed."""
        if self.step is not None and self.count is not None:
            trajectory = trajectory.at(torch.arange(self.count, dtype=torch.float64) * self.step)
        else:
            trajectory = trajectory.resampled(self.count)
        moments = trajectory.times if self.moments is None else self.moments
        return replace(trajectory, times=moments, fps=self.fps)


@dataclass(frozen=True)
class OwnLength:
    """What a path says of itself.

    Attributes:
        count: Number of frames.
        fps: Rate it was made for.
        time: Its own time curve.
        firm: Whether the number was chosen with the curve, rather than by default.
    """

    count: int
    fps: float | None = None
    time: str | None = None
    firm: bool = True


def direct(
    own: OwnLength, options: TrajectoryOptions, times: Float[Tensor, " n"], clip: ClipFrames | None
) -> Direction:
    """Decide on length, rate and moments.

    What is asked for comes first, then what the time curve takes, then what the path says of itself. A path's own curve
    goes with the path: at another rate both keep their seconds, in another length both are played faster or slower.

    Args:
        own: What the path says.
        options: What is asked for.
        times: Normalised times of the clip's frames.
        clip: When they were taken; needed where time is directed.

    Raises:
        SettingsError: The curve cannot be read, or the video would be absurdly long.
    """
    text = own.time if options.time is None else options.time
    fps = options.fps or own.fps
    rate = fps or DEFAULT_FPS
    count = options.num_frames if options.duration is None else _frames(options.duration, rate)
    kept = None
    if count is None and own.fps is not None and rate != own.fps:
        kept = Direction(_frames((own.count - 1) / own.fps, rate), rate, own.fps / rate)
    if text is None:
        return kept or Direction(count, fps if options.duration is None else rate)
    if clip is None:
        raise SettingsError("time can only be directed where the clip's seconds are known")
    if options.time is None:
        return _with_own_curve(own, text, count, rate, times, clip)
    duration = options.duration if options.duration is not None or count is None else (count - 1) / rate
    curve = TimeCurve.parse(text, clip.length, times, rate, duration)
    _tell_jumps(curve, text, 1.0)
    if kept is not None and kept.count is not None and curve.seconds is None:
        return replace(kept, moments=curve.at(torch.arange(kept.count, dtype=torch.float64) / rate))
    if count is None:
        count = own.count if curve.seconds is None else _frames(curve.seconds, rate)
    return Direction(count, rate, moments=curve.at(torch.arange(count, dtype=torch.float64) / rate))


def _with_own_curve(
    own: OwnLength, text: str, count: int | None, rate: float, times: Float[Tensor, " n"], clip: ClipFrames
) -> Direction:
    """For a path whose curve is its own: it is meant in the seconds and frames of the video the path was made for."""
    made_for = own.fps or (DEFAULT_FPS if own.firm else rate)
    length = (own.count - 1) / made_for
    curve = TimeCurve.parse(text, clip.length, times, made_for, length if own.firm else None)
    step = made_for / rate if rate != made_for else None
    if not own.firm and curve.seconds is not None:
        # The curve says how long the path is, which is spread over it.
        length, step = curve.seconds, None
    if count is None:
        count = _frames(length, rate)
        at = torch.arange(count, dtype=torch.float64) / rate
    else:
        step = None
        at = torch.linspace(0, length, count, dtype=torch.float64)
    _tell_jumps(curve, text, (count - 1) / rate / float(at[-1]) if count > 1 and length > 0 else 1.0)
    return Direction(count, rate, step, curve.at(at))


def _tell_jumps(curve: TimeCurve, text: str, stretch: float) -> None:
    for jump in curve.jumps():
        when = f"{jump * stretch:g} s"
        warn(f"time jumps at {when} of the video, as '{text}' asks: a later moment would be reached gradually")


def _frames(seconds: float, fps: float) -> int:
    if seconds * fps >= LONGEST:
        raise SettingsError(f"{seconds:g} s at {fps:g} frames per second are more than {LONGEST} frames")
    return frame_count(seconds, fps)
