"""Things that no flow leads to any more, found again where they would be had they gone on as they came.

Flow over a wide gap, as round a frame that is held out, loses what is small and quick. What begins there would be
another thing, with a path in depth and a number of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from jaxtyping import Bool, Int
from numpy import ndarray

ALIKE = 0.3
"""Intersection over union with what is expected, from which on a region is the thing."""


def gone_on(
    regions: Int[ndarray, "h w"],
    unclaimed: Collection[int],
    before: Sequence[Int[ndarray, "h w"]],
    frames: Sequence[int],
    lost: Collection[int],
) -> dict[int, int]:
    """The lost thing that each unclaimed region shows, by region; each thing once, the likeliest first.

    Args:
        regions: Connected regions of a keyframe.
        unclaimed: Those that flow leads no thing to.
        before: Labels of the keyframes before it, the last one last.
        frames: Position of each of these among the frames, and of the keyframe itself.
        lost: Labels that may be looked for.
    """
    pairs = []
    for label in lost:
        expected = _expected(label, before, frames)
        if expected is None:
            continue
        for region in unclaimed:
            mask = regions == region
            alike = (mask & expected).sum() / max((mask | expected).sum(), 1)
            if alike >= ALIKE:
                pairs.append((float(alike), region, label))
    result: dict[int, int] = {}
    for _, region, label in sorted(pairs, reverse=True):
        if region not in result and label not in result.values():
            result[region] = label
    return result


def _expected(label: int, before: Sequence[Int[ndarray, "h w"]], frames: Sequence[int]) -> Bool[ndarray, "h w"] | None:
    """Where a thing would be at the last of the frames; None where it was seen once and its pace is not known."""
    seen = [place for place in range(len(before) - 1, -1, -1) if (before[place] == label).any()][:2]
    if len(seen) < 2:
        return None
    last, earlier = ((before[place] == label).nonzero() for place in seen)
    share = (frames[-1] - frames[seen[0]]) / (frames[seen[0]] - frames[seen[1]])
    row, column = (round(share * (now.mean() - then.mean())) for now, then in zip(last, earlier, strict=True))
    height, width = before[0].shape
    result = np.zeros((height, width), bool)
    rows, columns = last[0] + row, last[1] + column
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    result[rows[inside], columns[inside]] = True
    return result
