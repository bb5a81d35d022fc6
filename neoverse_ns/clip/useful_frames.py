"""The frames of a shot that are worth sampling: those that show the scene, and show something new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from neoverse_ns.clip.fit_frames import unfit_frames
from neoverse_ns.clip.repeats import live_seconds, new_pictures, standstills
from neoverse_ns.clip.source import SeenFrame


@dataclass(frozen=True)
class UsefulFrames:
    """What is left of a shot.

    Attributes:
        frames: In order, with their true times.
        live: Their times with frozen stretches cut out, in which they are to be sampled evenly.
    """

    frames: list[SeenFrame]
    live: Float64[np.ndarray, " n"]


def useful_frames(shot: Sequence[SeenFrame], notes: list[str]) -> UsefulFrames:
    """Leave out blank and faded frames and repeated pictures, and say so in `notes`."""
    unfit = unfit_frames(shot)
    if unfit.any():
        left_out = [frame for frame, out in zip(shot, unfit, strict=True) if out]
        notes.append(f"left out because they show nothing or fade in or out: {_described(left_out)}")
    fit = [frame for frame, out in zip(shot, unfit, strict=True) if not out]
    kept = new_pictures(fit)
    seconds = np.array([frame.seconds for frame in fit], dtype=np.float64)
    live = live_seconds(seconds, kept)
    if len(kept) < len(fit):
        notes.append(_said_of_repeats(seconds, kept, live))
    return UsefulFrames([fit[i] for i in kept], live)


def _said_of_repeats(seconds: Float64[np.ndarray, " n"], kept: list[int], live: Float64[np.ndarray, " k"]) -> str:
    remain = f"{(len(kept) - 1) / (live[-1] - live[0]):.1f} different ones a second remain" if len(kept) > 1 else ""
    still = np.flatnonzero(standstills(seconds, kept))
    ends = np.append(seconds[kept], seconds[-1])
    frozen = ", ".join(f"{ends[i]:.1f}-{ends[i + 1]:.1f}" for i in still[:3]) + (", ..." if len(still) > 3 else "")
    return (
        f"{len(seconds) - len(kept)} of {len(seconds)} frames repeat the picture before them and were left out"
        + (f": {remain}" if remain else "")
        + (f"; frozen in seconds {frozen}" if frozen else "")
    )


def _described(frames: Sequence[SeenFrame]) -> str:
    """How many frames, and where the first and the last of them are."""
    if len(frames) == 1:
        return f"1 frame (second {frames[0].seconds:.1f})"
    return f"{len(frames)} frames (seconds {frames[0].seconds:.1f}-{frames[-1].seconds:.1f})"
