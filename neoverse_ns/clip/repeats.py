"""Frames that show the same picture again: dropped frames filled up, pulldown, screens at rest, frozen stretches.

Sampled among others they would make the camera stand and jump, and a held-out frame could be one that was trained on.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64, UInt8

from neoverse_ns.clip.changes import picture_change
from neoverse_ns.clip.source import SeenFrame, picture_of

# A repeat changes less than this share of what a new picture changes. Measured on 18 clips of all kinds, neighbours
# change at least 0.25 times as much as their median; repeats, compressed again, at most 0.08 times (x264 at crf 28).
_SHARE = 0.12
# Never more grey levels than this, and never more than the noise of a resting camera.
_MOST = 2.0
# Grey levels from which a step may count as a new picture at all, and how many of those it takes to know what is usual.
_LEAST_STEP = 1.0
_FEWEST_STEPS = 3
# Levels by which any pixel of the thumbnail may have drifted since the last new picture, or the same share as above of
# what a new picture changes there: slow motion adds up.
_MOST_DRIFT = 4.0
# A pause of more seconds than this, and of so many usual ones, is a frozen stretch rather than a low frame rate.
_FROZEN, _FROZEN_STEPS = 0.4, 3.0
# Largest change between two pictures that no eye and no metric tells apart.
_EQUAL = 0.35


def new_pictures(frames: Sequence[SeenFrame]) -> list[int]:
    """Positions of the frames that show something new; all of them where nothing in the clip ever moves.

    What counts as new is judged by the clip itself, so that slow motion is kept however slow it is.

    Args:
        frames: Consecutive frames of one shot.
    """
    changes = np.array([frame.change for frame in frames[1:]], dtype=np.float64)
    steps = _steps(changes)
    if steps is None:
        return list(range(len(frames)))
    most = min(_SHARE * float(np.median(changes[steps])), _MOST)
    drifts = [_drift(*pair) for pair, step in zip(itertools.pairwise(frames), steps, strict=True) if step]
    most_drift = max(_SHARE * float(np.median(drifts)), _MOST_DRIFT)
    kept = [0]
    for i in range(1, len(frames)):
        if changes[i - 1] > most or _drift(frames[kept[-1]], frames[i]) > most_drift:
            kept.append(i)
    return kept


def _steps(changes: Float64[np.ndarray, " n"]) -> Bool[np.ndarray, " n"] | None:
    """Which changes are those to a new picture; None where there are hardly any."""
    finite = np.isfinite(changes)
    if finite.sum() < _FEWEST_STEPS:
        return None
    steps = finite & (changes >= max(_LEAST_STEP, float(np.percentile(changes[finite], 95)) / 4))
    return steps if steps.sum() >= _FEWEST_STEPS else None


def _drift(first: SeenFrame, second: SeenFrame) -> float:
    return float(np.abs(first.thumbnail.astype(np.int16) - second.thumbnail).max())


def standstills(seconds: Float64[np.ndarray, " n"], kept: Sequence[int]) -> Bool[np.ndarray, " k"]:
    """Which of the new pictures are followed by a frozen stretch, much longer than the pauses between the others.

    Args:
        seconds: Times of all frames.
        kept: Positions of the new pictures, the first one included.
    """
    ends = np.append(seconds[list(kept)], seconds[-1])
    pauses = np.diff(ends)
    usual = float(np.median(pauses[:-1])) if len(kept) > 1 else 0.0
    return (np.diff([*kept, len(seconds)]) > 1) & (pauses > max(_FROZEN, _FROZEN_STEPS * usual))


def live_seconds(seconds: Float64[np.ndarray, " n"], kept: Sequence[int]) -> Float64[np.ndarray, " k"]:
    """Times of the new pictures as if no stretch had been frozen: standstills take no longer than any pause.

    Sampled evenly in these times, a frozen stretch gets one frame like any other, and time for what happens is left.

    Args:
        seconds: Times of all frames.
        kept: Positions of the new pictures, the first one included.
    """
    pauses = np.diff(seconds[list(kept)])
    if len(pauses):
        pauses[standstills(seconds, kept)[:-1]] = float(np.median(pauses))
    return seconds[kept[0]] + np.concatenate([[0.0], np.cumsum(pauses)])


def seen_again(frames: UInt8[np.ndarray, "n h w 3"]) -> set[int]:
    """Positions of frames whose picture also is that of another one."""
    pictures = [picture_of(frame) for frame in frames]
    again: set[int] = set()
    for i, first in enumerate(pictures):
        for j in range(i + 1, len(pictures)):
            if picture_change(first, pictures[j]) <= _EQUAL:
                again |= {i, j}
    return again
