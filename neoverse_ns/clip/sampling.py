"""Picking frames evenly in time, whatever the source's own rate does."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64


def sample_evenly(seconds: Float64[np.ndarray, " n"], count: int) -> Int64[np.ndarray, " count"]:
    """Positions of `count` distinct frames whose times come closest to an even spacing from the first to the last.

    Where times are sparse (variable frame rate), several wanted times share their nearest frame; the run is then spread
    to both sides alike: subtracting 0, 1, 2, ... turns "strictly ascending" into "ascending", and the mean of the
    tightest ascending sequences above and below is ascending too.

    Args:
        seconds: Times of the frames, strictly ascending.
        count: Frames wanted, from 1 to n.
    """
    if count == 1:
        return np.zeros(1, dtype=np.int64)
    wanted = np.linspace(seconds[0], seconds[-1], count)
    after = np.clip(np.searchsorted(seconds, wanted), 1, len(seconds) - 1)
    nearest = np.where(wanted - seconds[after - 1] <= seconds[after] - wanted, after - 1, after)
    ranks = np.arange(count)
    free = np.clip(nearest - ranks, 0, len(seconds) - count)
    above = np.maximum.accumulate(free)
    below = np.minimum.accumulate(free[::-1])[::-1]
    return ((above + below) // 2 + ranks).astype(np.int64)


def window_end(seconds: Float64[np.ndarray, " n"], count: int, rate: float) -> int:
    """How many leading frames to sample `count` from when no duration is asked for.

    They last (count - 1) / rate seconds to the nearest frame, or longer where the source is slower than `rate` and
    holds fewer than `count` frames in that time.
    """
    step = float(np.median(np.diff(seconds))) if len(seconds) > 1 else 0.0
    covered = int(np.sum(seconds <= seconds[0] + (count - 1) / rate + step / 2))
    return min(max(covered, count), len(seconds))


def spaced(available: int, count: int, most: int) -> int:
    """The largest number of frames from one to the next, 1 to `most`, at which `count` fit among those `available`."""
    return min(max((available - 1) // max(count - 1, 1), 1), most)


def spaced_start(available: int, count: int, step: int, offset: float) -> int:
    """Where `count` frames, `step` apart, begin among those `available`; offsets spread evenly over [0, 1) are starts
    equally often."""
    starts = available - (count - 1) * step
    return min(int(offset * starts), starts - 1)
