"""Finding cuts: where a clip jumps from one continuous shot to the next."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float64

from neoverse_ns.clip.dissolves import find_dissolves
from neoverse_ns.clip.fit_frames import blank_frames, unfit_frames
from neoverse_ns.clip.source import SeenFrame
from neoverse_ns.clip.unlikeness import unlikeness

# Measured on thumbnails of 18 hand-held, walking, driving and static clips: pairs from different shots are at least
# 0.57 unlike (median 1.0), neighbours within a video shot at most 0.43. Stills a second apart reach 0.9, but evenly.
_LEAST_UNLIKENESS = 0.5
# How many times as unlike as its surroundings a cut must be: fast motion and wide steps make many neighbours unlike.
_LEAST_CONTRAST = 2.5
_SURROUNDINGS = 8
# Frames on each side of a boundary that must all differ across it, so that a flash of up to two frames is no cut.
_REACH = 3
# How many frames that show nothing part two shots when they follow each other (fades).
_BLANK_RUN = 4


def find_shots(frames: Sequence[SeenFrame]) -> list[range]:
    """Split frames into continuous shots at hard cuts, changes of size, dissolves and fades through a blank picture.

    A boundary is a cut if frames near it are unlike each other in every combination across it, and the step over it
    stands out among the steps around it. Blank frames part two shots where they are many, or where what follows them is
    unlike what precedes them.

    Args:
        frames: Consecutive frames in order.

    Returns:
        Ranges of positions in `frames`, in order, together covering all of them but those of dissolves.
    """
    if not frames:
        return []
    cuts = {i for i in range(1, len(frames)) if frames[i].size != frames[i - 1].size}
    pictures = [frame.thumbnail for frame in frames]
    steps = np.array([unlikeness(a, b) for a, b in itertools.pairwise(pictures)], dtype=np.float64)
    for i in np.flatnonzero(_standing_out(steps)) + 1:
        if _all_unlike(pictures[max(i - _REACH, 0) : i], pictures[i : i + _REACH]):
            cuts.add(int(i))
    blank = blank_frames(frames)
    cuts |= _blank_borders(blank)
    cuts |= _other_side(pictures, unfit_frames(frames), cuts)
    return _without(find_dissolves(frames), [0, *sorted(cuts), len(frames)])


def _without(dissolves: list[range], edges: list[int]) -> list[range]:
    """Shots between the edges, from which the frames of dissolves are cut out."""
    inside = {i for dissolve in dissolves for i in dissolve}
    shots = []
    for a, b in itertools.pairwise(edges):
        for left_out, run in itertools.groupby(range(a, b), key=inside.__contains__):
            if not left_out:
                members = list(run)
                shots.append(range(members[0], members[-1] + 1))
    return shots


def _all_unlike(before: Sequence[np.ndarray], after: Sequence[np.ndarray]) -> bool:
    return all(unlikeness(a, b) >= _LEAST_UNLIKENESS for a in before for b in after)


def _standing_out(steps: Float64[np.ndarray, " n"]) -> Bool[np.ndarray, " n"]:
    """Steps that are large in themselves and against the median of those around them."""
    result = np.zeros(len(steps), dtype=bool)
    for i in np.flatnonzero(steps >= _LEAST_UNLIKENESS):
        around = np.concatenate([steps[max(i - _SURROUNDINGS, 0) : i], steps[i + 1 : i + 1 + _SURROUNDINGS]])
        result[i] = len(around) == 0 or steps[i] >= _LEAST_CONTRAST * np.median(around)
    return result


def _blank_borders(blank: Bool[np.ndarray, " n"]) -> set[int]:
    """Where runs of blank frames begin and end."""
    borders = {edge for start, end in _runs(blank) if end - start >= _BLANK_RUN for edge in (start, end)}
    return borders - {0, len(blank)}


def _other_side(pictures: Sequence[np.ndarray], unfit: Bool[np.ndarray, " n"], cuts: set[int]) -> set[int]:
    """Ends of the runs of blank and faded frames, without a cut so far, behind which another scene begins."""
    borders = set()
    for start, end in _runs(unfit):
        before = [i for i in range(max(start - _REACH, 0), start) if not unfit[i]]
        after = [i for i in range(end, min(end + _REACH, len(pictures))) if not unfit[i]]
        known = any(start <= cut <= end for cut in cuts)
        if not known and before and after and _all_unlike([pictures[i] for i in before], [pictures[i] for i in after]):
            borders.add(end)
    return borders


def _runs(chosen: Bool[np.ndarray, " n"]) -> list[tuple[int, int]]:
    """First position of every run of chosen frames, and the first behind it."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], chosen.astype(np.int8), [0]])))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]
