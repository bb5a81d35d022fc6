"""Steps between frames too wide for optical flow: recognised, led across by feature matches, or given up.

Flow that lost its way leads back to where it started only by chance. Where that happens between neighbouring frames,
the weak pairs that span such a step are measured again along verified matches, and dropped where they show nothing in
common; in a short clip pairs beyond the usual gaps are tried. Clips of small steps are left as they are, at no cost.

A pair is judged by its own two images alone, so pixels of held-out frames influence no pair of training frames.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

from jaxtyping import Float, UInt8
from numpy import ndarray

from neoverse_ns.console import progress
from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField, Pair, single_threaded_opencv, texture_confidence
from neoverse_ns.reconstruct.bundle.flow.feature_matches import (
    Features,
    Matches,
    find_features,
    match_features,
    verified,
)
from neoverse_ns.reconstruct.bundle.flow.wide_pair import (
    ABOVE_CHANCE,
    FEWEST_MATCHES,
    TwoWayFlow,
    chance_agreement,
    measure_wide_pair,
)
from neoverse_ns.reconstruct.bundle.parallel import map_on_cores
from neoverse_ns.reconstruct.split import FrameSplit

WEAK = 0.3
"""Share of the texture that flow must follow there and back; below it matches are tried.

Above it they do more harm than good: flow that starts from zero or from shorter steps keeps to what it can follow,
flow led by matches is also believed beside them, where plain surfaces agree with any start."""
MOST_FRAMES = 24
"""Clips of up to so many frames have all pairs tried; longer ones only the usual gaps."""
PARTNERS = 3
"""Pairs beyond the usual gaps that are added for each frame, those with most matches."""


def mend_wide_steps(field: FlowField, gray: list[UInt8[ndarray, "h w"]], split: FrameSplit, noise: float) -> FlowField:
    """Flow in which pairs of wide steps are measured along feature matches, and pairs that show nothing in common lack.

    Args:
        field: Flow of the usual pairs.
        gray: The frames.
        split: Which of them train: small steps between those leave the field as it is.
        noise: As for `measure_flow`.
    """
    texture = [texture_confidence(image) for image in gray]
    strength = {(i, j): _followed(field, (i, j), texture) for i, j in field.pairs if i < j}
    steps = list(zip(split.train[:-1], split.train[1:], strict=True))
    if all(strength[step] >= WEAK for step in steps):
        return field
    with single_threaded_opencv():
        own = list(map_on_cores(lambda image: chance_agreement(image, noise), gray))
    chance = {pair: max(own[pair[0]], own[pair[1]]) for pair in combinations(range(len(gray)), 2)}
    weak = {pair for pair in strength if strength[pair] < max(WEAK, ABOVE_CHANCE * chance[pair])}
    # Far pairs are weak in every clip; over small steps their flow was led as well as it can be.
    weak = {(i, j) for i, j in weak if any(i < b and a < j for a, b in weak.intersection(steps))}
    flow = {p: field.flow[p] for p in field.pairs if (min(p), max(p)) not in weak}
    confidence = {p: field.confidence[p] for p in flow}
    with single_threaded_opencv():
        features = list(map_on_cores(find_features, gray))
        tried = weak | (set(chance) - set(strength) if len(gray) <= MOST_FRAMES else set())
        matches = _verified(features, sorted(tried))
        chosen = sorted(weak | _best_partners(matches, tried - weak, set(split.train)))

        def one(pair: Pair) -> TwoWayFlow | None:
            i, j = pair
            known = None
            if pair in strength:
                known = TwoWayFlow(
                    (field.flow[i, j], field.flow[j, i]), (field.confidence[i, j], field.confidence[j, i])
                )
            return measure_wide_pair(known, matches[pair], (gray[i], gray[j]), chance[pair], noise)

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


def _verified(features: list[Features], pairs: list[Pair]) -> dict[Pair, Matches]:
    """Matches of every pair that obey one epipolar geometry."""

    def one(pair: Pair) -> Matches:
        return verified(match_features(features[pair[0]], features[pair[1]]))

    with progress("Matching frames of wide steps", len(pairs)) as bar:
        found = {}
        for pair, matches in zip(pairs, map_on_cores(one, pairs), strict=True):
            found[pair] = matches
            bar.advance()
    return found


def _best_partners(matches: dict[Pair, Matches], pairs: Iterable[Pair], train: set[int]) -> set[Pair]:
    """For every frame the pairs with most matches, among training frames and among all pairs with others."""
    ranks: dict[tuple[int, bool], list[tuple[int, Pair]]] = {}
    for pair in pairs:
        count = len(matches[pair])
        if count >= FEWEST_MATCHES:
            for frame in pair:
                ranks.setdefault((frame, train.issuperset(pair)), []).append((-count, pair))
    return {pair for ranked in ranks.values() for _, pair in sorted(ranked)[:PARTNERS]}
