"""Optical flow between the frames of a clip, and how far it can be trusted.

Flow is dense inverse search (Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016) as OpenCV ships
it. ``flow[i, j][y, x]`` is the displacement in pixels of what frame i shows at pixel (x, y) in frame j. Trust combines
two things: flow that leads back to where it started, and texture to follow, without which flow is only a guess from
its surroundings.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from neoverse_ns.console import progress

Pair = tuple[int, int]

OUTSIDE = 1e3
"""Displacement read where a pixel has left the image: far larger than any disagreement that counts as noise."""

SMALLEST = 16
"""Images with a shorter side than this hold too little to search in; their flow is taken to be zero."""
LONGEST_ASPECT = 12
"""The same for images longer than so many times their short side: OpenCV's pyramid fails on them."""
TEXTURE = 4.0
"""Squared gradient, in (grey levels per pixel)^2, at which texture counts a half."""
COMPARED = 9
"""Side in pixels of the window over which two flows are compared."""
CLEARLY, SLIGHT = 0.9, 0.5
"""The other flow must leave less than this share of the first one's difference, less so many grey levels."""
TEXTURE_WINDOW = 9
"""Side in pixels of the neighbourhood in which texture is looked for: about that of the patches flow compares."""


@dataclass(frozen=True)
class FlowField:
    """Flow of every measured pair, in both directions.

    Attributes:
        flow: Displacement in pixels, float32.
        confidence: In [0, 1]: exp(-(round-trip error / noise)^2) times the texture of the source frame, zero where the
            target lies outside the image.
    """

    flow: dict[Pair, Float[ndarray, "h w 2"]] = field(default_factory=dict)
    confidence: dict[Pair, Float[ndarray, "h w"]] = field(default_factory=dict)

    @property
    def pairs(self) -> list[Pair]:
        """All pairs in ascending order."""
        return sorted(self.flow)

    def between(self, frames: list[int]) -> FlowField:
        """The pairs with both ends among `frames`."""
        chosen = set(frames)
        keep = [p for p in self.pairs if p[0] in chosen and p[1] in chosen]
        return FlowField({p: self.flow[p] for p in keep}, {p: self.confidence[p] for p in keep})

    def numbered(self, frames: list[int]) -> FlowField:
        """The same, with the frames counted as in `frames`."""
        place = {frame: number for number, frame in enumerate(frames)}
        part = self.between(frames)
        names = {(i, j): (place[i], place[j]) for i, j in part.pairs}
        return FlowField(
            {names[p]: part.flow[p] for p in part.pairs}, {names[p]: part.confidence[p] for p in part.pairs}
        )

    def __or__(self, other: FlowField) -> FlowField:
        """The pairs of both."""
        return FlowField(self.flow | other.flow, self.confidence | other.confidence)


def to_gray(frames: UInt8[ndarray, "n h w 3"]) -> list[UInt8[ndarray, "h w"]]:
    """Luma of every frame, as the flow wants it."""
    return [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]


def measure_flow(
    gray: list[UInt8[ndarray, "h w"]],
    middles: dict[Pair, int | None],
    noise: float,
    starts: Mapping[Pair, Float[ndarray, "h w 2"]] | None = None,
    known: FlowField | None = None,
) -> FlowField:
    """Measure flow for every pair and its reverse.

    Args:
        gray: Frames.
        middles: For each pair ``i < j`` a frame between through whose flows a start is composed, or None to start from
            zero; the pairs to and from that frame must be among the keys too (see `pair_graph`).
        noise: Round-trip error in pixels at which the confidence has fallen to 1/e.
        starts: For some pairs, in either direction, another start: what it leads to is taken where it explains the
            second image better.
        known: Flow of pairs that were measured before; it is part of the result, and may be composed of.
    """
    known = known or FlowField()
    flow: dict[Pair, ndarray] = dict(known.flow)
    middles = {pair: middle for pair, middle in middles.items() if pair not in flow}

    zero = np.zeros((*gray[0].shape, 2), np.float32)

    def one(pair: Pair) -> ndarray:
        i, j = pair
        if not searchable(gray[i]):
            return zero
        middle = middles[min(pair), max(pair)]
        start = zero.copy() if middle is None else compose(flow[i, middle], flow[middle, j])
        found = searcher().calc(gray[i], gray[j], start)
        if starts is None or pair not in starts:
            return found
        return better_flow(gray[i], gray[j], found, searcher().calc(gray[i], gray[j], starts[pair].copy()))

    with single_threaded_opencv(), ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        with progress("Measuring optical flow", 2 * len(middles)) as steps:
            for wave in _waves(middles, set(flow)):
                for pair, result in zip(wave, pool.map(one, wave), strict=True):
                    flow[pair] = result
                    steps.advance()
        texture = list(pool.map(texture_confidence, gray))

        def trust(pair: Pair) -> ndarray:
            return texture[pair[0]] * round_trip_confidence(flow[pair], flow[pair[1], pair[0]], noise)

        pairs = [pair for pair in flow if pair not in known.flow]
        confidence = dict(zip(pairs, pool.map(trust, pairs), strict=True))
        return FlowField(flow, known.confidence | confidence)


def searchable(image: UInt8[ndarray, "h w"]) -> bool:
    """Whether an image is large enough, and not too long, to be searched."""
    return min(image.shape) >= max(SMALLEST, max(image.shape) / LONGEST_ASPECT)


def better_flow(
    first: UInt8[ndarray, "h w"],
    second: UInt8[ndarray, "h w"],
    plain: Float[ndarray, "h w 2"],
    other: Float[ndarray, "h w 2"],
) -> Float[ndarray, "h w 2"]:
    """Of two flows, around every pixel the one along which the images differ less; `plain` where that is unclear."""
    errors = []
    for flow in (plain, other):
        there = cv2.remap(second, *landing(flow), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        errors.append(cv2.blur(cv2.absdiff(first, there).astype(np.float32), (COMPARED, COMPARED)))
    better = errors[1] < CLEARLY * errors[0] - SLIGHT
    return np.where(better[..., None], other, plain)


def compose(first: Float[ndarray, "h w 2"], second: Float[ndarray, "h w 2"]) -> Float[ndarray, "h w 2"]:
    """Follow `first`, then `second`: displacement over both."""
    x, y = landing(first)
    return first + cv2.remap(second, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def round_trip_confidence(
    forward: Float[ndarray, "h w 2"], backward: Float[ndarray, "h w 2"], noise: float
) -> Float[ndarray, "h w"]:
    """Trust in `forward` from how closely `backward` leads back: exp(-(error / noise)^2)."""
    h, w = forward.shape[:2]
    x, y = landing(forward)
    back = cv2.remap(backward, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(OUTSIDE, OUTSIDE))
    inside = (x >= 0) & (x <= w - 1) & (y >= 0) & (y <= h - 1)
    error = ((back + forward) ** 2).sum(-1)
    return (np.exp(-error / noise**2) * inside).astype(np.float32)


def texture_confidence(gray: UInt8[ndarray, "h w"]) -> Float[ndarray, "h w"]:
    """How much there is to follow around every pixel: 0 on plain surfaces, towards 1 where gradients are strong."""
    image = gray.astype(np.float32)
    squared = (cv2.Scharr(image, -1, 1, 0) / 32) ** 2 + (cv2.Scharr(image, -1, 0, 1) / 32) ** 2
    mean = cv2.blur(squared, (TEXTURE_WINDOW, TEXTURE_WINDOW))
    return mean / (mean + TEXTURE)


def landing(flow: ndarray) -> tuple[ndarray, ndarray]:
    """Array positions (integer at pixel centres, as OpenCV's remap counts) where each pixel arrives."""
    y, x = np.mgrid[: flow.shape[0], : flow.shape[1]].astype(np.float32)
    return x + flow[..., 0], y + flow[..., 1]


def searcher() -> cv2.DISOpticalFlow:
    """A fresh search: it keeps buffers, so every task needs its own.

    It goes down to full resolution: the focal length hangs on tenths of a pixel. Sparser patches and fewer steps than
    OpenCV's presets use there cost nothing measurable and save a third of the time.
    """
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(0)
    search.setPatchStride(5)
    search.setGradientDescentIterations(12)
    search.setVariationalRefinementIterations(3)
    return search


def _waves(middles: dict[Pair, int | None], known: set[Pair]) -> Iterator[list[Pair]]:
    """Groups of directed pairs such that each only needs flows of earlier groups, or those known."""
    done = set(known)
    while any(pair not in done for pair in middles):
        ready = [
            (i, j)
            for (i, j), m in sorted(middles.items())
            if (i, j) not in done and (m is None or ((i, m) in done and (m, j) in done))
        ]
        if not ready:
            raise ValueError("a pair's start needs flows that are not among the pairs")
        yield ready + [(j, i) for i, j in ready]
        done.update(ready)


@contextmanager
def single_threaded_opencv() -> Iterator[None]:
    """One thread inside OpenCV: its search is split by the number of threads, and the result depends on the split."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
