"""Flow between two images that lie too far apart to search from zero, where they show the same things at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from neoverse_ns.reconstruct.bundle.flow.dense_flow import round_trip_confidence, texture_confidence
from neoverse_ns.reconstruct.bundle.flow.feature_matches import THRESHOLD, Matches, epipolar_distance, verified
from neoverse_ns.reconstruct.bundle.flow.guided_flow import guided_flow, spread_matches

CHANCE, ABOVE_CHANCE = 0.1, 1.5
"""Flow counts that follows more of the texture than this, and than so many times what it follows by chance.

Unrelated photographs agree on 0.02 to 0.07 by chance, soft textures on far more: any blob leads to some other blob."""
CHANCE_GUIDED = 0.015
"""The same for flow that searches around verified matches alone, where chance explains next to nothing."""
FEWEST_MATCHES = 12
"""Verified matches from which flow may be led by them: chance finds a matrix for some 9 of 20 wrong ones."""
ROUNDS = 2
"""Times that flow is led again, by the matches together with what was followed before."""
GAINS = 1.02
"""Ratio by which a round must raise the texture that is followed for another one to be worth its time."""
DOUBTFUL = 0.1
"""Confidence below which flow over a wide step is worth nothing: much of it would outvote the little that is right."""
STRIDE, TRUSTED = 8, 0.5
"""Spacing in pixels, and confidence, of the flow that joins the matches in the second round."""

Images = tuple[UInt8[ndarray, "h w"], UInt8[ndarray, "h w"]]
Textures = tuple[Float[ndarray, "h w"], Float[ndarray, "h w"]]


@dataclass(frozen=True)
class TwoWayFlow:
    """Flow of one pair both ways.

    Attributes:
        flow: From the first image to the second, and back.
        confidence: Trust in each.
    """

    flow: tuple[Float[ndarray, "h w 2"], Float[ndarray, "h w 2"]]
    confidence: tuple[Float[ndarray, "h w"], Float[ndarray, "h w"]]


def measure_wide_pair(
    known: TwoWayFlow | None, matches: Matches, images: Images, chance: float, noise: float
) -> TwoWayFlow | None:
    """The best flow that leads from one image to the other; None where they show nothing in common.

    What was measured before, flow led by the matches, and flow led by the matches and by what either followed are
    compared by the share of the texture that they follow in agreement with one epipolar geometry. Flow that disagrees
    with it is not believed: over a wide step nothing tells what moves on its own from what is mistaken.

    Args:
        known: What was measured before.
        matches: Verified ones.
        images: Gray.
        chance: The larger `chance_agreement` of both images.
        noise: As for `measure_flow`.
    """
    texture = (texture_confidence(images[0]), texture_confidence(images[1]))
    enough = max(CHANCE, ABOVE_CHANCE * chance)
    candidates = [known] if known is not None and _agreement(known, None, texture) >= enough else []
    if len(matches) >= FEWEST_MATCHES:
        led = _led(matches, images, texture, noise)
        if _agreement(led, matches.geometry, texture) >= CHANCE_GUIDED:
            candidates.append(led)
    if not candidates:
        return None
    geometry = None
    for _ in range(ROUNDS):
        points = [matches, *(_points(candidate) for candidate in candidates)]
        again = verified(Matches(np.concatenate([p.first for p in points]), np.concatenate([p.second for p in points])))
        geometry = again.geometry
        if len(again) >= FEWEST_MATCHES:
            candidates.append(_led(again, images, texture, noise))
        scores = [_agreement(candidate, geometry, texture) for candidate in candidates]
        best = max(range(len(scores)), key=scores.__getitem__)
        settled = scores[best] < GAINS * max(scores[: len(points) - 1])
        candidates = [candidates[best]]
        if settled:
            break
    return candidates[0] if geometry is None else _along_lines(candidates[0], geometry)


def chance_agreement(gray: UInt8[ndarray, "h w"], noise: float) -> float:
    """Share of the texture that flow follows where there is nothing to follow.

    That is into the mirror image, which has the same textures and no true correspondence.
    """
    mirrored = np.ascontiguousarray(gray[:, ::-1])
    still = np.zeros((*gray.shape, 2), np.float32)
    texture = (texture_confidence(gray), texture_confidence(mirrored))
    return _agreement(_around(still, still, (gray, mirrored), texture, noise), None, texture)


def _led(matches: Matches, images: Images, texture: Textures, noise: float) -> TwoWayFlow:
    """Flow both ways around what the matches say."""
    forward = spread_matches(matches.first, matches.second, images[0].shape)
    backward = spread_matches(matches.second, matches.first, images[1].shape)
    return _around(forward, backward, images, texture, noise)


def _around(forward: ndarray, backward: ndarray, images: Images, texture: Textures, noise: float) -> TwoWayFlow:
    """Flow both ways, searched for around these starts."""
    source, target = images
    forward, backward = guided_flow(source, target, forward), guided_flow(target, source, backward)
    trust = round_trip_confidence(forward, backward, noise), round_trip_confidence(backward, forward, noise)
    return TwoWayFlow((forward, backward), (texture[0] * trust[0], texture[1] * trust[1]))


def _points(measured: TwoWayFlow) -> Matches:
    """Trusted flow of both directions on a grid, as matches."""
    found = []
    for flow, confidence in zip(measured.flow, measured.confidence, strict=True):
        y, x = _grid(confidence.shape)
        keep = confidence[y, x] > TRUSTED
        here = np.stack([x[keep], y[keep]], 1).astype(np.float32)
        found.append((here, here + flow[y[keep], x[keep]]))
    (first, second), (late, early) = found
    return Matches(np.concatenate([first, early]), np.concatenate([second, late]))


def _along_lines(measured: TwoWayFlow, geometry: Float[ndarray, "3 3"]) -> TwoWayFlow:
    """The same with trust only in flow along the epipolar lines, and none in what hardly led back."""
    trust = []
    for k in (0, 1):
        height, width = measured.confidence[k].shape
        distance = _off_lines(measured, k, geometry, *np.mgrid[:height, :width])
        confidence = measured.confidence[k] * np.exp(-((distance / (2 * THRESHOLD)) ** 2))
        trust.append(np.where(confidence < DOUBTFUL, 0, confidence).astype(np.float32))
    return TwoWayFlow(measured.flow, (trust[0], trust[1]))


def _agreement(measured: TwoWayFlow, geometry: Float[ndarray, "3 3"] | None, texture: Textures) -> float:
    """Share of the texture followed along the epipolar lines, in the direction where it is less."""
    shares = []
    for k in (0, 1):
        y, x = _grid(measured.confidence[k].shape)
        trust = measured.confidence[k][y, x]
        if geometry is not None:
            trust = trust * (_off_lines(measured, k, geometry, y, x) < 2 * THRESHOLD)
        shares.append(float(trust.sum()) / max(float(texture[k][y, x].sum()), 1e-9))
    return min(shares)


def _off_lines(measured: TwoWayFlow, k: int, geometry: ndarray, y: ndarray, x: ndarray) -> ndarray:
    """Distance from the epipolar line of where flow leads pixels (y, x) of image `k`."""
    here = np.stack([x.ravel(), y.ravel()], 1).astype(np.float64)
    there = here + measured.flow[k][y, x].reshape(-1, 2)
    return epipolar_distance(geometry, *((here, there) if k == 0 else (there, here))).reshape(x.shape)


def _grid(shape: tuple[int, ...]) -> tuple[ndarray, ndarray]:
    """Rows and columns of every `STRIDE`-th pixel."""
    y, x = np.mgrid[STRIDE // 2 : shape[0] : STRIDE, STRIDE // 2 : shape[1] : STRIDE]
    return y, x
