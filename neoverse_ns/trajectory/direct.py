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

    What is asked for comes first, then what the time curve takes, then what the path says of itself.

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
    if text is None:
        if count is None and own.fps is not None and rate != own.fps:
            return Direction(_frames((own.count - 1) / own.fps, rate), rate, own.fps / rate)
        return Direction(count, fps if options.duration is None else rate)
    if count is None and options.time is None and own.firm:
        count = own.count
    if clip is None:
        raise SettingsError("time can only be directed where the clip's seconds are known")
    duration = options.duration if options.duration is not None or count is None else (count - 1) / rate
    curve = TimeCurve.parse(text, clip.length, times, rate, duration)
    for jump in curve.jumps():
        warn(f"time jumps at {jump:g} s of the video, as '{text}' asks: a later moment would be reached gradually")
    if count is None:
        count = own.count if curve.seconds is None else _frames(curve.seconds, rate)
    return Direction(count, rate, moments=curve.at(torch.arange(count, dtype=torch.float64) / rate))


def _frames(seconds: float, fps: float) -> int:
    if seconds * fps >= LONGEST:
        raise SettingsError(f"{seconds:g} s at {fps:g} frames per second are more than {LONGEST} frames")
    return frame_count(seconds, fps)
