"""Finding cuts: where a clip jumps from one continuous shot to the next."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Bool, Float64, UInt8

from neoverse_ns.clip.source import SeenFrame

# Measured on thumbnails of 18 hand-held, walking, driving and static clips: pairs from different shots are at least
# 0.57 unlike (median 1.0), neighbours within a video shot at most 0.43. Stills a second apart reach 0.9, but evenly.
_LEAST_UNLIKENESS = 0.5
# How many times as unlike as its surroundings a cut must be: fast motion and wide steps make many neighbours unlike.
_LEAST_CONTRAST = 2.5
_SURROUNDINGS = 8
# Frames on each side of a boundary that must all differ across it, so that a flash of up to two frames is no cut.
_REACH = 3
# Spread of grey values below which a frame shows nothing, and how many of those in a row part two shots (fades).
_BLANK_SPREAD = 2.0
_BLANK_RUN = 4
# A thumbnail is compared in so many blocks a side, each of which may move by so many pixels (x, y).
_BLOCKS = 4
_SHIFT = (6, 4)


def find_shots(frames: Sequence[SeenFrame]) -> list[range]:
    """Split frames into continuous shots at hard cuts, changes of size and fades through a blank picture.

    A boundary is a cut if frames near it are unlike each other in every combination across it, and the step over it
    stands out among the steps around it. Slow dissolves are not found.

    Args:
        frames: Consecutive frames in order.

    Returns:
        Ranges of positions in `frames`, in order, together covering all of them.
    """
    if not frames:
        return []
    cuts = {i for i in range(1, len(frames)) if frames[i].size != frames[i - 1].size}
    pictures = [frame.thumbnail for frame in frames]
    steps = np.array([unlikeness(a, b) for a, b in itertools.pairwise(pictures)], dtype=np.float64)
    for i in np.flatnonzero(_standing_out(steps)) + 1:
        before = pictures[max(i - _REACH, 0) : i]
        after = pictures[i : i + _REACH]
        if all(unlikeness(a, b) >= _LEAST_UNLIKENESS for a in before for b in after):
            cuts.add(int(i))
    cuts |= _blank_borders(frames)
    edges = [0, *sorted(cuts), len(frames)]
    return [range(a, b) for a, b in itertools.pairwise(edges)]


def unlikeness(first: UInt8[np.ndarray, "h w 3"], second: UInt8[np.ndarray, "h w 3"]) -> float:
    """How little two thumbnails can show the same scene: 0 for equal ones, about 0.5 to 1.4 for unrelated ones.

    Every block of `first` looks for its best match in `second` within a small shift (camera and object motion); the
    result is the median block's root mean square difference over the two pictures' mean spread, to which a constant is
    added so that noise in dark pictures stays small. The median forgives whatever happens in less than half of the
    picture.
    """
    h, w = first.shape[0] // _BLOCKS, first.shape[1] // _BLOCKS
    dx, dy = _SHIFT
    spread = (float(first.std(axis=(0, 1)).mean()) + float(second.std(axis=(0, 1)).mean())) / 2 + 4.0
    padded = cv2.copyMakeBorder(second, dy, dy, dx, dx, cv2.BORDER_REPLICATE)
    squares = []
    for y, x in itertools.product(range(0, _BLOCKS * h, h), range(0, _BLOCKS * w, w)):
        window = padded[y : y + h + 2 * dy, x : x + w + 2 * dx]
        scores = cv2.matchTemplate(window, first[y : y + h, x : x + w], cv2.TM_SQDIFF)
        squares.append(max(float(scores.min()), 0.0) / (h * w * 3))
    return float(np.sqrt(np.median(squares))) / spread


def _standing_out(steps: Float64[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Steps that are large in themselves and against the median of those around them."""
    result = np.zeros(len(steps), dtype=bool)
    for i in np.flatnonzero(steps >= _LEAST_UNLIKENESS):
        around = np.concatenate([steps[max(i - _SURROUNDINGS, 0) : i], steps[i + 1 : i + 1 + _SURROUNDINGS]])
        result[i] = len(around) == 0 or steps[i] >= _LEAST_CONTRAST * np.median(around)
    return result


def _blank_borders(frames: Sequence[SeenFrame]) -> set[int]:
    """Where runs of blank frames begin and end."""
    borders: set[int] = set()
    start = 0
    for blank, run in itertools.groupby(frames, key=lambda frame: float(frame.thumbnail.std()) < _BLANK_SPREAD):
        end = start + sum(1 for _ in run)
        if blank and end - start >= _BLANK_RUN:
            borders |= {start, end}
        start = end
    return borders - {0, len(frames)}
