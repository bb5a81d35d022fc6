"""Steps between frames too wide for optical flow: recognised, led across by feature matches, or given up.

Flow that lost its way leads back to where it started only by chance. A clip in which that happens between neighbouring
frames gets its weak pairs measured again along verified matches, pairs beyond the usual gaps are tried, and pairs that
show nothing in common are dropped. Clips of small steps are left as they are and cost nothing.

A pair is judged by its own two images alone, so pixels of held-out frames influence no pair of training frames.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from neoverse_ns.console import progress
from neoverse_ns.reconstruct.bundle.features import (
    THRESHOLD,
    Features,
    epipolar_distance,
    epipolar_geometry,
    find_features,
    match_features,
)
from neoverse_ns.reconstruct.bundle.flow import (
    FlowField,
    Pair,
    round_trip_confidence,
    single_threaded_opencv,
    texture_confidence,
)
from neoverse_ns.reconstruct.bundle.guided_flow import guided_flow, spread_matches
from neoverse_ns.reconstruct.bundle.parallel import map_on_cores
from neoverse_ns.reconstruct.split import FrameSplit

WEAK = 0.3
"""Share of the texture that flow must follow there and back; below it matches are tried.

Above it they do more harm than good: flow that starts from zero or from shorter steps keeps to what it can follow,
flow led by matches is also believed beside them, where plain surfaces agree with any start."""
CHANCE = 0.1
"""Share of the texture that unrelated images agree on by chance stays clearly below this (about 0.03, at most 0.07)."""
CHANCE_GUIDED = 0.015
"""The same for flow that searches around verified matches alone, where chance explains next to nothing."""
FEWEST_MATCHES = 12
"""Verified matches from which flow may be led by them: chance finds a matrix for some 9 of 20 wrong ones."""
MOST_FRAMES = 24
"""Clips of up to so many frames have all pairs tried; longer ones only the usual gaps."""
PARTNERS = 3
"""Pairs beyond the usual gaps that are added for each frame, those with most matches."""
ROUNDS = 2
"""Times that flow is led again, by the matches together with what was followed before."""
DOUBTFUL = 0.1
"""Confidence below which flow over a wide step is worth nothing: much of it would outvote the little that is right."""
STRIDE, TRUSTED = 8, 0.5
"""Spacing in pixels, and confidence, of the flow that joins the matches in the second round."""


@dataclass(frozen=True)
class _Matches:
    """Positions in the first and in the second image, and the fundamental matrix that they obey, where there is one."""

    first: Float[ndarray, "m 2"]
    second: Float[ndarray, "m 2"]
    geometry: Float[ndarray, "3 3"] | None = None


@dataclass(frozen=True)
class _Measured:
    """Flow of one pair both ways, and the trust in it."""

    flow: tuple[Float[ndarray, "h w 2"], Float[ndarray, "h w 2"]]
    confidence: tuple[Float[ndarray, "h w"], Float[ndarray, "h w"]]


def mend_wide_steps(
    field: FlowField, gray: list[UInt8[ndarray, "h w"]], split: FrameSplit, noise: float
) -> FlowField:
    """Flow in which pairs of wide steps are measured along feature matches, and pairs that show nothing in common lack.

    Args:
        field: Flow of the usual pairs.
        gray: The frames.
        split: Which of them train: small steps between those leave the field as it is.
        noise: As for `measure_flow`.
    """
    texture = [texture_confidence(image) for image in gray]
    strength = {(i, j): _followed(field, (i, j), texture) for i, j in field.pairs if i < j}
    steps = zip(split.train[:-1], split.train[1:], strict=True)
    if all(strength[step] >= WEAK for step in steps):
        return field
    weak = {pair for pair in strength if strength[pair] < WEAK}
    flow = {p: field.flow[p] for p in field.pairs if (min(p), max(p)) not in weak}
    confidence = {p: field.confidence[p] for p in flow}
    with single_threaded_opencv():
        features = list(map_on_cores(find_features, gray))
        tried = weak | (set(combinations(range(len(gray)), 2)) - set(strength) if len(gray) <= MOST_FRAMES else set())
        matches = _verified(features, sorted(tried))
        chosen = sorted(weak | _best_partners(matches, tried - weak, set(split.train)))

        def one(pair: Pair) -> _Measured | None:
            known = None
            if pair in strength:
                back = pair[::-1]
                known = _Measured(
                    (field.flow[pair], field.flow[back]), (field.confidence[pair], field.confidence[back])
                )
            return _measure(known, matches[pair], (gray[pair[0]], gray[pair[1]]), noise)

        with progress("Following wide steps", len(chosen)) as bar:
            for (i, j), found in zip(chosen, map_on_cores(one, chosen), strict=True):
                if found is not None:
                    (flow[i, j], flow[j, i]), (confidence[i, j], confidence[j, i]) = found.flow, found.confidence
                bar.advance()
    return FlowField(flow, confidence)


def _followed(field: FlowField, pair: Pair, texture: list[Float[ndarray, "h w"]]) -> float:
    """Share of the texture that flow follows, in the direction where it follows less; 1 where there is no texture."""
    shares = []
    for i, j in (pair, pair[::-1]):
        total = float(texture[i].sum())
        shares.append(float(field.confidence[i, j].sum()) / total if total > 0 else 1.0)
    return min(shares)


def _verified(features: list[Features], pairs: list[Pair]) -> dict[Pair, _Matches]:
    """Matches of every pair that obey one epipolar geometry."""

    def one(pair: Pair) -> _Matches:
        return _obeying(*match_features(features[pair[0]], features[pair[1]]))

    with progress("Matching frames of wide steps", len(pairs)) as bar:
        found = {}
        for pair, matches in zip(pairs, map_on_cores(one, pairs), strict=True):
            found[pair] = matches
            bar.advance()
    return found


def _obeying(first: Float[ndarray, "m 2"], second: Float[ndarray, "m 2"]) -> _Matches:
    """Those that obey the one epipolar geometry that most obey."""
    geometry, obey = epipolar_geometry(first, second)
    return _Matches(first[obey], second[obey], geometry)


def _best_partners(matches: dict[Pair, _Matches], pairs: Iterable[Pair], train: set[int]) -> set[Pair]:
    """For every frame the pairs with most matches, among training frames and among all pairs with others."""
    ranks: dict[tuple[int, bool], list[tuple[int, Pair]]] = {}
    for pair in pairs:
        count = len(matches[pair].first)
        if count >= FEWEST_MATCHES:
            for frame in pair:
                ranks.setdefault((frame, train.issuperset(pair)), []).append((-count, pair))
    return {pair for ranked in ranks.values() for _, pair in sorted(ranked)[:PARTNERS]}


def _measure(
    known: _Measured | None, matches: _Matches, images: tuple[ndarray, ndarray], noise: float
) -> _Measured | None:
    """The best flow that leads from one image to the other; None where they show nothing in common.

    What was measured before, flow led by the matches, and flow led by the matches and by what either followed are
    compared by the share of the texture that they follow in agreement with one epipolar geometry. Flow that disagrees
    with it is not believed: over a wide step nothing tells what moves on its own from what is mistaken.
    """
    texture = (texture_confidence(images[0]), texture_confidence(images[1]))
    candidates = [known] if known is not None and _agreement(known, None, texture) >= CHANCE else []
    if len(matches.first) >= FEWEST_MATCHES:
        led = _led(matches, images, texture, noise)
        if _agreement(led, matches.geometry, texture) >= CHANCE_GUIDED:
            candidates.append(led)
    if not candidates:
        return None
    geometry = None
    for _ in range(ROUNDS):
        points = [matches, *(_points(candidate) for candidate in candidates)]
        again = _obeying(np.concatenate([p.first for p in points]), np.concatenate([p.second for p in points]))
        geometry = again.geometry
        if len(again.first) >= FEWEST_MATCHES:
            candidates.append(_led(again, images, texture, noise))
        candidates = [max(candidates, key=lambda measured: _agreement(measured, again.geometry, texture))]
    return candidates[0] if geometry is None else _along_lines(candidates[0], geometry)


def _led(matches: _Matches, images: tuple[ndarray, ndarray], texture: tuple[ndarray, ndarray], noise: float) -> _Measured:
    """Flow both ways around what the matches say."""
    source, target = images
    forward = guided_flow(source, target, spread_matches(matches.first, matches.second, source.shape))
    backward = guided_flow(target, source, spread_matches(matches.second, matches.first, target.shape))
    trust = round_trip_confidence(forward, backward, noise), round_trip_confidence(backward, forward, noise)
    return _Measured((forward, backward), (texture[0] * trust[0], texture[1] * trust[1]))


def _points(measured: _Measured) -> _Matches:
    """Trusted flow of both directions on a grid, as matches."""
    found = []
    for flow, confidence in zip(measured.flow, measured.confidence, strict=True):
        y, x = _grid(confidence.shape)
        keep = confidence[y, x] > TRUSTED
        here = np.stack([x[keep], y[keep]], 1).astype(np.float32)
        found.append((here, here + flow[y[keep], x[keep]]))
    (first, second), (late, early) = found
    return _Matches(np.concatenate([first, early]), np.concatenate([second, late]))


def _along_lines(measured: _Measured, geometry: Float[ndarray, "3 3"]) -> _Measured:
    """The same with trust only in flow along the epipolar lines, and none in what hardly led back."""
    trust = []
    for k in (0, 1):
        height, width = measured.confidence[k].shape
        distance = _off_lines(measured, k, geometry, *np.mgrid[:height, :width])
        confidence = measured.confidence[k] * np.exp(-((distance / (2 * THRESHOLD)) ** 2))
        trust.append(np.where(confidence < DOUBTFUL, 0, confidence).astype(np.float32))
    return _Measured(measured.flow, (trust[0], trust[1]))


def _agreement(
    measured: _Measured, geometry: Float[ndarray, "3 3"] | None, texture: tuple[ndarray, ndarray]
) -> float:
    """Share of the texture followed along the epipolar lines, in the direction where it is less."""
    shares = []
    for k in (0, 1):
        y, x = _grid(measured.confidence[k].shape)
        trust = measured.confidence[k][y, x]
        if geometry is not None:
            trust = trust * (_off_lines(measured, k, geometry, y, x) < 2 * THRESHOLD)
        shares.append(float(trust.sum()) / max(float(texture[k][y, x].sum()), 1e-9))
    return min(shares)


def _off_lines(measured: _Measured, k: int, geometry: ndarray, y: ndarray, x: ndarray) -> ndarray:
    """Distance from the epipolar line of where flow leads pixels (y, x) of image `k`."""
    here = np.stack([x.ravel(), y.ravel()], 1).astype(np.float64)
    there = here + measured.flow[k][y, x].reshape(-1, 2)
    return epipolar_distance(geometry, *((here, there) if k == 0 else (there, here))).reshape(x.shape)


def _grid(shape: tuple[int, ...]) -> tuple[ndarray, ndarray]:
    """Rows and columns of every `STRIDE`-th pixel."""
    y, x = np.mgrid[STRIDE // 2 : shape[0] : STRIDE, STRIDE // 2 : shape[1] : STRIDE]
    return y, x
