"""Finding cuts: where a clip jumps from one continuous shot to the next."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float64, UInt8

from neoverse_ns.clip.source import SeenFrame

# Frames on each side of a boundary that must all differ across it, so that flashes and flicker are no cuts.
_REACH = 3
# Unlikeness (1 - correlation after the best small shift) that a cut reaches; hand-held video stays well below.
_LEAST_UNLIKENESS = 0.35
# How many times as unlike as its surroundings a cut must be; fast motion makes all frames around it unlike.
_LEAST_CONTRAST = 3.0
_SURROUNDINGS = 8


def find_shots(frames: Sequence[SeenFrame]) -> list[range]:
    """Split frames into continuous shots.

    A boundary is a cut if the size changes, or if frames on its two sides are unlike each other in every combination
    near it, and far more than frames around it are.

    Args:
        frames: Consecutive frames in order.

    Returns:
        Ranges of positions in `frames`, in order, together covering all of them.
    """
    if not frames:
        return []
    cuts = [0]
    if len(frames) > 1:
        steps = _step_unlikeness(frames)
        for i in range(1, len(frames)):
            if frames[i].size != frames[i - 1].size or _is_cut(frames, steps, i):
                cuts.append(i)
    return [range(a, b) for a, b in zip(cuts, [*cuts[1:], len(frames)], strict=True)]


def _is_cut(frames: Sequence[SeenFrame], steps: Float64[np.ndarray, " n"], i: int) -> bool:
    """Whether a shot ends before position i; `steps[k]` is the unlikeness of k and k + 1."""
    jump = steps[i - 1]
    if jump < _LEAST_UNLIKENESS:
        return False
    around = np.concatenate([steps[max(i - 1 - _SURROUNDINGS, 0) : i - 1], steps[i : i + _SURROUNDINGS]])
    if len(around) and jump < _LEAST_CONTRAST * np.median(around):
        return False
    before = range(max(i - _REACH, 0), i)
    after = range(i, min(i + _REACH, len(frames)))
    return all(unlikeness(frames[a].thumbnail, frames[b].thumbnail) >= _LEAST_UNLIKENESS for a in before for b in after)


def _step_unlikeness(frames: Sequence[SeenFrame]) -> Float64[np.ndarray, " n"]:
    return np.array([unlikeness(a.thumbnail, b.thumbnail) for a, b in zip(frames[:-1], frames[1:], strict=True)])


def unlikeness(first: UInt8[np.ndarray, "h w 3"], second: UInt8[np.ndarray, "h w 3"]) -> float:
    """1 - the best correlation of `second` with the middle of `first` over small shifts: 0 alike, about 1 unrelated."""
    h, w = first.shape[:2]
    dy, dx = h // 8, w // 8
    middle = first[dy : h - dy, dx : w - dx]
    scores = cv2.matchTemplate(second, middle, cv2.TM_CCOEFF_NORMED)
    best = float(scores.max())
    return 1.0 - best if np.isfinite(best) else 0.0
