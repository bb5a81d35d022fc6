"""How things grow and shrink from keyframe to keyframe, and which of two that meet hides the other.

A thing keeps its size: how much larger it looks in the next keyframe says exactly how much nearer it is there. And what
should be seen of it there, but shows another thing, is hidden by that one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Bool, Float64, Int
from numpy import ndarray

from neoverse_ns.reconstruct.bundle.motion.keyframe_flow import TRUSTED, KeyframeFlows, land

LEAST_PIXELS = 40
"""Of less it cannot be told how the size changes."""
MOST_PIXELS = 1500
"""Pixels of a thing that are followed."""
FOLLOWED = 0.25
"""Share of a thing's pixels that must be followed to the same thing."""
RIGID = 0.5
"""Share of those that one turn, shift and change of size must explain."""
TOLERANCE = 1.5
"""Error in pixels up to which it does."""
MOST_CHANGE = 0.4
"""Largest change of size from one keyframe to the next, as a logarithm."""
LEAST_HIDDEN = 20
"""Pixels that must be hidden to say who hides whom."""
CLEARLY = 3
"""How many times as many pixels must be hidden of the one as of the other, in keyframes nearby together."""
NEARBY = 2
"""Keyframes before and after that are asked."""


@dataclass(frozen=True)
class Link:
    """One thing in two keyframes.

    Attributes:
        thing: Its number.
        first: Number of the earlier keyframe.
        second: Of the later one.
        growth: Logarithm of how much larger it looks there.
    """

    thing: int
    first: int
    second: int
    growth: float


@dataclass(frozen=True)
class Order:
    """In keyframe number `place` the thing `front` hides a part of the thing `back`."""

    place: int
    front: int
    back: int


def link_sizes(
    labels: Int[ndarray, "k h w"], present: Bool[ndarray, "things k"], flows: KeyframeFlows
) -> tuple[list[Link], list[Order]]:
    """Changes of size of every thing between the keyframes in which it is seen, and who hides whom there.

    Args:
        labels: Which thing every pixel of the keyframes shows; 0 for none.
        present: In which keyframes each is seen.
        flows: Between the keyframes.
    """
    links: list[Link] = []
    hidden: dict[tuple[int, int, int], int] = {}
    for thing, seen in enumerate(present):
        places = np.flatnonzero(seen).tolist()
        for first, second in pairwise(places):
            if second - first > 2:
                continue
            there = _similarity(thing, labels, first, second, flows)
            back = _similarity(thing, labels, second, first, flows)
            growths = [_scale(m) * sign for m, sign in ((there, 1), (back, -1)) if m is not None]
            if growths and abs(growth := float(np.mean(growths))) < MOST_CHANGE:
                links.append(Link(thing, first, second, growth))
            for motion, here, other in ((there, first, second), (back, second, first)):
                if motion is not None:
                    for by, count in _hidden(thing, labels[here], labels[other], motion).items():
                        key = (other, by, thing)
                        hidden[key] = max(hidden.get(key, 0), count)
    return links, _orders(hidden)


def _orders(hidden: dict[tuple[int, int, int], int]) -> list[Order]:
    """Who hides whom: as far as keyframes nearby do not say the opposite.

    Args:
        hidden: By keyframe, hiding and hidden thing: pixels.
    """
    orders = []
    for (place, front, back), count in hidden.items():
        near = range(place - NEARBY, place + NEARBY + 1)
        so, opposite = (sum(hidden.get((k, a, b), 0) for k in near) for a, b in ((front, back), (back, front)))
        if count >= LEAST_HIDDEN and so > CLEARLY * opposite:
            orders.append(Order(place, front, back))
    return orders


def _similarity(
    thing: int, labels: Int[ndarray, "k h w"], here: int, there: int, flows: KeyframeFlows
) -> Float64[ndarray, "2 3"] | None:
    """Turn, shift and change of size that a thing undergoes from one keyframe to another; None where it does not stay
    alike."""
    way = flows.between(here, there)
    rows, columns = np.nonzero(labels[here] == thing)
    if way is None or len(rows) < LEAST_PIXELS:
        return None
    flow, trust = way
    found, _ = land(labels[there], flow)
    pick = slice(None, None, len(rows) // MOST_PIXELS + 1)
    rows, columns = rows[pick], columns[pick]
    same = (found[rows, columns] == thing) & (trust[rows, columns] >= TRUSTED)
    if same.mean() < FOLLOWED or same.sum() < LEAST_PIXELS / 2:
        return None
    start = np.stack([columns, rows], -1).astype(np.float32)[same]
    end = start + flow[rows, columns][same]
    cv2.setRNGSeed(0)
    similarity, inliers = cv2.estimateAffinePartial2D(start, end, method=cv2.RANSAC, ransacReprojThreshold=TOLERANCE)
    return similarity if similarity is not None and inliers.mean() >= RIGID else None


def _scale(similarity: Float64[ndarray, "2 3"]) -> float:
    return float(np.log(np.hypot(similarity[0, 0], similarity[1, 0])))


def _hidden(
    thing: int, here: Int[ndarray, "h w"], there: Int[ndarray, "h w"], similarity: Float64[ndarray, "2 3"]
) -> dict[int, int]:
    """How many pixels of a thing land on each other thing."""
    height, width = here.shape
    rows, columns = np.nonzero(here == thing)
    x, y = np.rint(similarity[:, :2] @ np.stack([columns, rows]) + similarity[:, 2:]).astype(np.int64)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    met, counts = np.unique(there[y[inside], x[inside]], return_counts=True)
    return {int(other): int(count) for other, count in zip(met, counts, strict=True) if other not in (0, thing)}
