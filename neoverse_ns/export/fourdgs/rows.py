"""Rows of the file, before colours and scales are looked up."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float64, Int64
from numpy import ndarray


@dataclass(frozen=True)
class Rows:
    """What exists from `begin` (inclusive) to `end` (exclusive), in seconds.

    Attributes:
        source: Row of the scene's Gaussians that each stands for.
        centres: Where it is at `time`.
        turns: Rotation vector, radians, by which it is turned about its own axes against the keyframe's.
        velocities: World units a second.
        time: Seconds; the middle of the fade, where there is one.
        width: Standard deviation of the fade in seconds; infinite where there is none.
    """

    source: Int64[ndarray, " r"]
    centres: Float64[ndarray, "r 3"]
    turns: Float64[ndarray, "r 3"]
    velocities: Float64[ndarray, "r 3"]
    time: Float64[ndarray, " r"]
    width: Float64[ndarray, " r"]
    begin: Float64[ndarray, " r"]
    end: Float64[ndarray, " r"]

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, chosen: Bool[ndarray, " r"]) -> Rows:
        return Rows(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})


def joined(parts: list[Rows]) -> Rows:
    """All rows of all parts, in order."""
    return Rows(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Rows)})


def still_rows(
    source: Int64[ndarray, " r"],
    centres: Float64[ndarray, "r 3"],
    begin: Float64[ndarray, " r"],
    end: Float64[ndarray, " r"],
) -> Rows:
    """Rows that neither move nor fade."""
    nothing, zero = np.zeros((len(source), 3)), np.zeros(len(source))
    return Rows(source, centres, nothing, nothing, zero, np.full(len(source), np.inf), begin, end)


def windows(visible: Bool[ndarray, "t n"], bounds: Float64[ndarray, " t+1"]) -> tuple[ndarray, ndarray, ndarray]:
    """Stretches of time in which each of n Gaussians is visible at every instant.

    Args:
        visible: At every instant.
        bounds: Where each instant's share of time begins, then where the last one's ends.

    Returns:
        Position of the Gaussian, begin and end of each stretch; by Gaussian, then time.
    """
    before = np.concatenate([np.zeros_like(visible[:1]), visible, np.zeros_like(visible[:1])]).astype(np.int8)
    change = np.diff(before, axis=0).T
    which, first = np.nonzero(change == 1)
    _, last = np.nonzero(change == -1)
    return which, bounds[first], bounds[last]
