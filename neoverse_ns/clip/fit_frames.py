"""Frames that show the scene at all: not black, not plain, and not on their way out of or into a plain picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64

from neoverse_ns.clip.source import SeenFrame

BLANK_SPREAD = 2.0
"""Spread of a thumbnail's grey values below which a frame shows nothing."""
# The same as a share of the usual spread: a lens cap or a pocket lets some light through.
_BLANK_SHARE = 0.04
# A fade begins with less than this share of the contrast at which it ends; what jumps past it was cut.
_FADE_FROM = 0.3
# It ends where so much of the contrast is there that comes within so many seconds.
_FADED_IN, _SOON = 0.92, 0.5
# Longest fade in seconds: what takes longer is the scene itself becoming light.
_LONGEST_FADE = 5.0


def blank_frames(frames: Sequence[SeenFrame]) -> Bool[np.ndarray, " n"]:
    """Frames without anything to see; none where all are like that."""
    spread = _spread(frames)
    blank = spread < max(BLANK_SPREAD, _BLANK_SHARE * float(np.median(spread))) if len(spread) else spread > 0
    return np.zeros(len(frames), dtype=bool) if blank.all() else blank


def faded_frames(frames: Sequence[SeenFrame], blank: Bool[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Frames of a fade from or to a plain picture, which show the scene in the wrong light.

    A fade scales the contrast of the picture from nothing to all of it. It begins at a blank frame or where the frames
    do, and is over where the contrast grows no longer; exposure that drifts neither begins nor ends with nothing.

    Args:
        frames: Consecutive frames.
        blank: Those that show nothing (see :func:`blank_frames`).
    """
    spread, seconds = _spread(frames), np.array([frame.seconds for frame in frames], dtype=np.float64)
    last = seconds[-1] if len(seconds) else 0.0
    fading_in = _fading_in(spread, seconds, blank)
    fading_out = _fading_in(spread[::-1], last - seconds[::-1], blank[::-1])[::-1]
    return (fading_in | fading_out) & ~blank


def unfit_frames(frames: Sequence[SeenFrame]) -> Bool[np.ndarray, " n"]:
    """Frames that are blank or fade; none where no other is left."""
    blank = blank_frames(frames)
    unfit = blank | faded_frames(frames, blank)
    return np.zeros(len(frames), dtype=bool) if unfit.all() else unfit


def _fading_in(
    spread: Float64[np.ndarray, " n"], seconds: Float64[np.ndarray, " n"], blank: Bool[np.ndarray, " n"]
) -> Bool[np.ndarray, " n"]:
    faded = np.zeros(len(spread), dtype=bool)
    starts = [i for i in np.flatnonzero(~blank) if i == 0 or blank[i - 1]]
    for start in starts:
        stops = np.flatnonzero(blank[start:])
        stop = start + int(stops[0]) if len(stops) else len(spread)
        stop = min(stop, int(np.searchsorted(seconds, seconds[start] + _LONGEST_FADE, side="right")))
        end = start
        while end < stop:
            soon = int(np.searchsorted(seconds, seconds[end] + _SOON, side="right"))
            if spread[end] >= _FADED_IN * float(spread[end : min(max(soon, end + 2), stop)].max()):
                break
            end += 1
        if end < stop and spread[start] < _FADE_FROM * spread[end]:
            faded[start:end] = True
    return faded


def _spread(frames: Sequence[SeenFrame]) -> Float64[np.ndarray, " n"]:
    """Standard deviation of each thumbnail's grey values."""
    return np.array([float(frame.thumbnail.mean(axis=2).std()) for frame in frames], dtype=np.float64)
