"""Finding dissolves: stretches in which one shot fades out while the next one fades in.

In the middle of a dissolve a frame shares things with what comes before and with what comes after, but nothing with
both, and all of it has lost contrast. However a camera moves, what leaves the picture keeps its contrast until it is
gone; only lenses out of focus and fades take it, and those bring nothing new.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Float32, Float64, UInt8

from neoverse_ns.clip.source import SeenFrame
from neoverse_ns.clip.unlikeness import unlikeness
from neoverse_ns.console import progress

# Seconds before and after a frame at which its surroundings are looked at.
_REACHES = (0.375, 0.5, 0.75)
# Only where the picture changes that much over the whole reach, and where the frame is nearly a mixture of both ends
# (residual over their difference), with this least share of either, is it worth looking for points.
_LEAST_UNLIKENESS, _MOST_RESIDUAL, _LEAST_SHARE = 0.4, 0.45, 0.2
# Points that must be found again on either side, and the largest share of them that may be found on both. Measured on
# frames that pass the above, of 13 videos and 9 dissolves made of them: at least 0.29 (0 where a camera turns fast)
# against 0 to 0.33; contrast around the points against the same ones outside at least 0.92 against at most 0.83.
_FEWEST_FOUND, _SHARED, _CONTRAST_LEFT = 5, 0.37, 0.85
# Points looked for in a picture, and SIFT's threshold: pictures are small, and dissolving takes half of the contrast.
_POINTS, _CONTRAST = 300, 0.01
# Side in pixels of the neighbourhood whose contrast counts, and Lowe's ratio (IJCV 2004, section 7.1).
_NEIGHBOURHOOD, _RATIO = 11, 0.8
# Pixels within which the points found again move like one plane.
_ALIKE = 8.0
# A frame belongs to a dissolve while so much of the other picture shows through, and so many seconds longer.
_SHOWS_THROUGH, _MARGIN = 0.05, 0.07
# Seconds from the middle at which either picture is taken to be pure, the longer where it was not; frames averaged.
_PURE, _AVERAGED = (0.75, 1.25), 3


@dataclass(frozen=True)
class _Try:
    """Three frames, the middle one possibly a mixture of the others; `uneven` is how far from equal its parts are."""

    before: int
    middle: int
    after: int
    uneven: float


def find_dissolves(frames: Sequence[SeenFrame]) -> list[range]:
    """Positions of the frames of every dissolve, in order.

    Args:
        frames: Consecutive frames in order, of which about eight a second have a picture.
    """
    tries = _worth_trying(frames)
    if not tries:
        return []
    points = _points_of(frames, sorted({i for t in tries for i in (t.before, t.middle, t.after)}))
    hits = [t for t in tries if _dissolves(points[t.before], points[t.middle], points[t.after])]
    result: list[range] = []
    for hit in sorted(hits, key=lambda hit: hit.uneven):
        if not any(hit.middle in found for found in result):
            result.append(_stretch(frames, hit.middle))
    return sorted(result, key=lambda found: found.start)


def _worth_trying(frames: Sequence[SeenFrame]) -> list[_Try]:
    places = [i for i, frame in enumerate(frames) if frame.picture is not None]
    seconds = np.array([frames[i].seconds for i in places], dtype=np.float64)
    smooth = {i: cv2.GaussianBlur(frames[i].thumbnail.astype(np.float32), (0, 0), 1.0) for i in places}
    tries: list[_Try] = []
    half_step = float(np.median(np.diff(seconds))) / 2 if len(places) > 1 else 0.0
    for reach in _REACHES:
        before = np.searchsorted(seconds, seconds - reach - half_step)
        after = np.searchsorted(seconds, seconds + reach - half_step)
        for number, middle in enumerate(places):
            if not before[number] < number < after[number] < len(places):
                continue
            if seconds[number] - seconds[before[number]] < reach / 2:
                continue
            a, b = places[before[number]], places[after[number]]
            if unlikeness(frames[a].thumbnail, frames[b].thumbnail) < _LEAST_UNLIKENESS:
                continue
            share, residual = _mixture(smooth[a], smooth[middle], smooth[b])
            if residual <= _MOST_RESIDUAL and abs(share - 0.5) <= 0.5 - _LEAST_SHARE:
                tries.append(_Try(a, middle, b, abs(share - 0.5)))
    return tries


def _mixture(first: np.ndarray, middle: np.ndarray, last: np.ndarray) -> tuple[float, float]:
    """Share of `last` in `middle`, and what mixing leaves unexplained, over the difference of both ends."""
    change, so_far = last - first, middle - first
    energy = max(float((change * change).sum()), 1e-9)
    share = float((so_far * change).sum()) / energy
    return share, float(np.linalg.norm(so_far - share * change)) / energy**0.5


class _Points:
    """Distinct points of a picture: what they look like, and the contrast around them."""

    def __init__(self, picture: UInt8[np.ndarray, "h w"]) -> None:
        keys, found = cv2.SIFT.create(_POINTS, contrastThreshold=_CONTRAST).detectAndCompute(picture, None)  # type: ignore[call-overload]
        self.count = len(keys)
        if found is None or not keys:
            return
        self.descriptors: Float32[np.ndarray, "k 128"] = np.sqrt(found / np.maximum(found.sum(1, keepdims=True), 1e-9))
        grey, side = picture.astype(np.float32), (_NEIGHBOURHOOD, _NEIGHBOURHOOD)
        spread = np.sqrt(np.maximum(cv2.blur(grey * grey, side) - cv2.blur(grey, side) ** 2, 0))
        self.places: Float32[np.ndarray, "k 2"] = np.array([key.pt for key in keys], np.float32)
        x, y = self.places.round().astype(int).T
        self.contrast: Float[np.ndarray, " k"] = spread[y.clip(0, len(grey) - 1), x.clip(0, grey.shape[1] - 1)]


def _points_of(frames: Sequence[SeenFrame], wanted: list[int]) -> dict[int, _Points]:
    """Points of the pictures of some frames."""

    def one(number: int) -> _Points:
        picture = frames[number].picture
        assert picture is not None
        return _Points(picture)

    with progress("looking for dissolves", len(wanted)) as steps, ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        result = {}
        for number, points in zip(wanted, pool.map(one, wanted), strict=True):
            result[number] = points
            steps.advance()
        return result


def _dissolves(before: _Points, middle: _Points, after: _Points) -> bool:
    """Whether `middle` mixes what is seen before with what is seen after."""
    earlier, later = _found(middle, before), _found(middle, after)
    fewest = min(len(earlier), len(later))
    if fewest < _FEWEST_FOUND or len(earlier.keys() & later.keys()) > _SHARED * fewest:
        return False
    left = max(_contrast_left(middle, before, earlier), _contrast_left(middle, after, later))
    return left < _CONTRAST_LEFT


def _found(points: _Points, others: _Points) -> dict[int, int]:
    """The points that are each other's nearest in another picture, clearly nearer than the second, and move alike."""
    if min(points.count, others.count) < 2:
        return {}
    matcher = cv2.BFMatcher(cv2.NORM_L2)
    back = {match.queryIdx: match.trainIdx for match in matcher.match(others.descriptors, points.descriptors)}
    pairs = matcher.knnMatch(points.descriptors, others.descriptors, k=2)
    near = {first.queryIdx: first.trainIdx for first, second in pairs if first.distance < _RATIO * second.distance}
    mutual = [(here, there) for here, there in near.items() if back.get(there) == here]
    if len(mutual) < _FEWEST_FOUND:
        return {}
    here, there = np.array(mutual).T
    # Chance matches would hide what is lost: the others move alike, but for parallax.
    _, obey = cv2.estimateAffinePartial2D(points.places[here], others.places[there], ransacReprojThreshold=_ALIKE)
    return {} if obey is None else {h: t for (h, t), keep in zip(mutual, obey.ravel(), strict=True) if keep}


def _contrast_left(points: _Points, others: _Points, found: dict[int, int]) -> float:
    here, there = np.array(list(found.items())).T
    return float(np.median(points.contrast[here] / np.maximum(others.contrast[there], 1.0)))


def _stretch(frames: Sequence[SeenFrame], middle: int) -> range:
    """The frames around one inside a dissolve in which both pictures show."""
    seconds = np.array([frame.seconds for frame in frames], dtype=np.float64)
    first, last = _mixed(frames, seconds, middle, _PURE[0])
    reach = seconds[middle] - _PURE[0], seconds[middle] + _PURE[0]
    wider = _mixed(frames, seconds, middle, _PURE[1])
    # An end that lies as far away as was looked is not the end.
    if first <= int(np.searchsorted(seconds, reach[0])) + _AVERAGED:
        first = wider[0]
    if last >= int(np.searchsorted(seconds, reach[1])) - _AVERAGED:
        last = wider[1]
    start = int(np.searchsorted(seconds, seconds[first] - _MARGIN))
    return range(start, int(np.searchsorted(seconds, seconds[last] + _MARGIN, side="right")))


def _mixed(
    frames: Sequence[SeenFrame], seconds: Float64[np.ndarray, " n"], middle: int, pure: float
) -> tuple[int, int]:
    """First and last frame around one in which both pictures show, if those `pure` seconds away show one each."""
    before = int(np.searchsorted(seconds, seconds[middle] - pure))
    after = min(int(np.searchsorted(seconds, seconds[middle] + pure)), len(frames) - 1)
    share = _share_of_later(frames[before : after + 1])
    first = last = middle - before
    while first > 0 and share[first - 1] > _SHOWS_THROUGH:
        first -= 1
    while last < len(share) - 1 and share[last + 1] < 1 - _SHOWS_THROUGH:
        last += 1
    return first + before, last + before


def _share_of_later(frames: Sequence[SeenFrame]) -> Float[np.ndarray, " n"]:
    """How much of the last picture shows in each frame, 0 at the first one, by projection on the change."""
    thumbnails = np.stack([cv2.GaussianBlur(frame.thumbnail.astype(np.float32), (0, 0), 1.0) for frame in frames])
    start = thumbnails[:_AVERAGED].mean(0)
    change = thumbnails[-_AVERAGED:].mean(0) - start
    return ((thumbnails - start) * change).sum((1, 2, 3)) / max(float((change * change).sum()), 1e-9)
