"""Which frames of a shot, of those between the sampled ones, are read to follow what moves."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from neoverse_ns.clip.sampling import sample_evenly
from neoverse_ns.clip.source import SeenFrame
from neoverse_ns.clip.useful_frames import UsefulFrames

MOST_PER_GAP = 8
"""Frames read between two sampled ones at most: at 8 sampled frames a second 60 frames a second are read in full."""
MOST_BYTES = 400_000_000
"""Memory that all of them may take; grey pictures take a byte a pixel."""


def frames_between(
    shot: UsefulFrames, sampled: Sequence[SeenFrame], size: tuple[int, int], notes: list[str], fewest: int = 1
) -> list[SeenFrame]:
    """Useful frames strictly between neighbouring sampled ones, in order, as many as may be kept, spread evenly.

    Blank, fading and repeated frames are no useful ones, and none is taken before the first sampled frame or behind the
    last.

    Args:
        shot: The useful frames.
        sampled: Those of them that were sampled, in order.
        size: Width and height they are brought to.
        notes: Told where some are left out for want of room.
        fewest: With fewer than this many between the sampled ones, none is taken.
    """
    place = {frame.index: position for position, frame in enumerate(shot.frames)}
    gaps = list(itertools.pairwise(place[frame.index] for frame in sampled))
    between = [second - first - 1 for first, second in gaps]
    if sum(between) < max(fewest, 1):
        return []
    most = _most_per_gap(between, MOST_BYTES // (size[0] * size[1]))
    if most < max(between):
        kept = sum(min(count, most) for count in between)
        notes.append(
            f"of {sum(between)} frames of the source between the sampled ones {kept} are used to follow what moves "
            + (f"(at most {most} between two)" if most else "(one between every two would take too much memory)")
        )
    taken: list[SeenFrame] = []
    for (first, second), count in zip(gaps, between, strict=True):
        # Both ends are sampled frames: an even spacing of what lies between counts them in.
        inside = sample_evenly(shot.live[first : second + 1], min(count, most) + 2)[1:-1]
        taken += [shot.frames[first + int(step)] for step in inside]
    return taken


def _most_per_gap(between: Sequence[int], allowed: int) -> int:
    """The largest bound on each gap, none above `MOST_PER_GAP`, with which all of them keep to `allowed` frames."""
    bounds = range(min(max(between), MOST_PER_GAP), 0, -1)
    return next((most for most in bounds if int(np.minimum(between, most).sum()) <= allowed), 0)
