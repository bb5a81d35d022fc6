"""What never moves in the picture while the world does: own bonnet, dashboard, logo, clock, the round edge of a lens.

A still pixel alone proves nothing: plain sky, and far scenery before a camera that does not turn, stay as they are.
Proof is an outline that stays put while something moves across it. The outline between two surfaces belongs to the
nearer one; were that a part of the world, it would move at least as fast as what it hides. So it is none.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8
from numpy import ndarray

from neoverse_ns.reconstruct.bundle.flow.dense_flow import measure_flow, texture_confidence, to_gray
from neoverse_ns.reconstruct.bundle.flow.masked_flow import FILLED_BEYOND, LARGE, filled_frames, grown
from neoverse_ns.reconstruct.bundle.flow.standing_regions import (
    EDGE,
    MOSTLY,
    Outline,
    Standing,
    find_still_regions,
    has_step,
    never_covered,
    outline_of,
    smoothed,
)

FEWEST_FRAMES = 4
"""Fewer frames show too little of what passes."""
MOST_FRAMES = 16
"""Frames that are compared, spread evenly over the clip."""
CAMERA_STANDS = 0.5
"""Share of the texture that stays put from which it is the camera that does."""
PASSED = 4.0
"""Pixels (at 384 px width) that something must have moved across an outline, over the clip."""
LOOKED_AT = (5.0, 9.0)
"""Where that is measured: pixels (at 384 px width) from the outline, outwards."""
FOLLOWED, KNOWN = 0.2, 0.5
"""Confidence from which flow is followed, and share of the steps in which it must be."""
CHANGED = 8.0
"""Change in grey levels from a frame to the next from which something passed though flow lost it."""
STANDS, BEFORE_ALL, PROVEN = (0.6, 0.5, 0.8), (0.85, 0.85, 0.9), (0.6, 0.3, 0.8)
"""Shares of the outline, of any region, of one with texture in all directions, and of a small one: where there is
an edge that stays put, where nothing ever hides it, and where moreover something passed beside it.

Overlays have 0.6 to 1, nearly 1, and 0.6 to 1; a clock printed on a sky, where nothing passes most of the outline, has
0.4 of the last. Before a still camera, where people pass, 0.8 is never hidden at most."""
SHIFT = 0.12
"""Pixels by which the texture of a region may seem to move: of overlays it is at most 0.1, of far scenery 0.14 and
more."""
SMALL, SMALLEST = 0.005, 0.002
"""Share of the picture below which a region is small, and below which it is none."""
BOARD = (0.1, 1.6)
"""Largest share of the picture of a board, and how much larger its convex hull may be."""
FEWEST_PIXELS = 8
"""Known pixels of the outline that a region needs."""
ALL_DIRECTIONS = 0.1
"""Smaller over larger eigenvalue of the mean squared gradient from which texture is more than lines in one direction.

Kerbs and wires that lead to where the camera walks stay put, too."""
OPEN = 0.1
"""Share of its outline that a plain region may have towards what moves, and still be taken with what encloses it."""
HOLE = 0.02
"""Largest share of the picture of a hole that is filled: the digits of a clock, a reflection."""


def find_standing(
    frames: UInt8[ndarray, "n h w 3"], noise: float, outside: Bool[ndarray, "h w"] | None = None
) -> Bool[ndarray, "h w"] | None:
    """What is no part of the world because it stays put; None where nothing is, or the camera itself stands still.

    Costs a fraction of a second where nothing stays put; only where something may, flow between neighbouring frames is
    measured once more.

    Args:
        frames: Of one shot.
        noise: As for `measure_flow`.
        outside: Pixels that are known already to be no part of the world.
    """
    if len(frames) < FEWEST_FRAMES:
        return None
    count, height, width = frames.shape[:3]
    outside = np.zeros((height, width), bool) if outside is None else outside
    gray = np.stack(to_gray(frames))
    chosen = gray[np.unique(np.linspace(0, count - 1, min(count, MOST_FRAMES)).round().astype(int))]
    compared = smoothed(chosen)
    standing = find_still_regions(compared, outside)
    texture = np.median([texture_confidence(image) for image in chosen], axis=0) * ~outside
    if (texture * standing.mask).sum() >= CAMERA_STANDS * texture.sum():
        return None
    outline = outline_of(standing.mask, outside)
    step, front = has_step(outline, compared), never_covered(outline, compared)
    everywhere = np.ones_like(step)
    possible = _judge(standing, outline, step, everywhere, STANDS)
    possible &= _judge(standing, outline, front, everywhere, BEFORE_ALL)
    for number in np.flatnonzero(possible):
        possible[number] = seeming_shift(standing, int(number), compared) <= SHIFT
    if not possible.any():
        return None
    passed = _passed(frames, standing.mask | outside, outline, noise)
    scale = max(width / 384, 0.5)
    accepted = possible & _judge(standing, outline, step & (passed > PASSED * scale), passed >= 0, PROVEN)
    if not accepted.any():
        return None
    return grown(_whole(standing, outline, accepted), FILLED_BEYOND[width >= LARGE]) & ~outside


def _passed(
    frames: UInt8[ndarray, "n h w 3"], hidden: Bool[ndarray, "h w"], outline: Outline, noise: float
) -> Float[ndarray, " b"]:
    """How far things moved across each pixel of the outline, there and back; -1 where that is not known.

    Flow is measured with all that stays put filled, and added up over time just outside the outline. Where it is mostly
    lost, but colours change, the way is infinite.
    """
    scale, steps = max(frames.shape[2] / 384, 0.5), len(frames) - 1
    filled = to_gray(filled_frames(frames, np.broadcast_to(hidden, frames.shape[:3])))
    field = measure_flow(filled, {(i, i + 1): None for i in range(steps)}, noise)
    result = np.full(len(outline.rows), -1.0)
    for distance in (scale * d for d in LOOKED_AT):
        place, known, changed = (np.zeros((steps + 1, len(outline.rows))) for _ in range(3))
        for i in range(steps):
            flow = field.flow[i, i + 1]
            known[i] = outline.at(field.confidence[i, i + 1], distance) > FOLLOWED
            across = outline.at(flow[..., 0], distance) * outline.outward[0]
            across += outline.at(flow[..., 1], distance) * outline.outward[1]
            place[i + 1] = place[i] + known[i] * across
            before, after = (outline.at(filled[k].astype(np.float32), distance) for k in (i, i + 1))
            changed[i] = np.abs(after - before) > CHANGED
        spread = np.quantile(place, 0.95, axis=0) - np.quantile(place, 0.05, axis=0)
        followed = known.sum(axis=0) >= KNOWN * steps
        lost = ~followed & (((1 - known) * changed).sum(axis=0) > KNOWN * steps / 2)
        result = np.maximum(result, np.where(followed, spread, np.where(lost, np.inf, -1)))
    return result


@dataclass(frozen=True)
class _Shares:
    """By region, 0 being none: pixels, known pixels of the outline, proven ones."""

    area: ndarray
    known: ndarray
    proven: ndarray


def _shares(standing: Standing, outline: Outline, proven: ndarray, known: ndarray) -> _Shares:
    size = standing.count + 1
    owner = standing.labels[outline.rows, outline.columns]
    return _Shares(
        np.bincount(standing.labels.ravel(), minlength=size),
        np.bincount(owner[known], minlength=size),
        np.bincount(owner[known & proven], minlength=size),
    )


def _judge(
    standing: Standing, outline: Outline, proven: ndarray, known: ndarray, shares_needed: tuple[float, float, float]
) -> Bool[ndarray, " r"]:
    """Which regions have enough of their outline proven, by number; none is number 0."""
    shares = _shares(standing, outline, proven, known)
    part = shares.area / standing.labels.size
    needed = np.where(_textured(standing), shares_needed[1], shares_needed[0])
    needed = np.where(part < SMALL, shares_needed[2], needed)
    result = (shares.known >= FEWEST_PIXELS) & (shares.proven >= needed * shares.known) & (part >= SMALLEST)
    result[0] = False
    return result


def _textured(standing: Standing) -> Bool[ndarray, " r"]:
    """Which regions have edges in all directions."""
    x, y = standing.gradient
    strong = np.hypot(x, y) > EDGE
    size, labels = standing.count + 1, standing.labels[strong]
    xx, xy, yy = (np.bincount(labels, v[strong], size) for v in (x * x, x * y, y * y))
    half, root = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    return half - root > ALL_DIRECTIONS * (half + root)


def seeming_shift(standing: Standing, number: int, frames: Float[ndarray, "n h w"]) -> float:
    """Pixels by which the texture inside a region would have to move to change as it does; 0 where there is none.

    Changes of the light, a gain and an offset per frame, are taken off first.
    """
    strength = np.hypot(*standing.gradient)
    inner = ~grown(~standing.mask, 2)
    inside = (standing.labels == number) & (strength > EDGE) & inner
    if not inside.any():
        return 0.0
    values = frames[:, inside]
    typical = np.median(values, axis=0)
    deviation = typical - typical.mean()
    own = values - values.mean(axis=1, keepdims=True)
    gain = (own @ deviation) / max(float(deviation @ deviation), 1e-6)
    change = np.quantile(np.abs(own - gain[:, None] * deviation), MOSTLY, axis=0)
    return float(np.median(change / strength[inside]))


def _whole(standing: Standing, outline: Outline, accepted: Bool[ndarray, " r"]) -> Bool[ndarray, "h w"]:
    """The accepted regions with what they enclose: plain parts between their edges, small holes."""
    everything = np.ones(len(outline.rows), bool)
    shares = _shares(standing, outline, everything, everything)
    labels, accepted = standing.labels, accepted.copy()
    for _ in range(standing.count):
        mask = accepted[labels]
        ring = grown(mask, 1) & ~mask & (labels > 0)
        touching = np.bincount(labels[ring], minlength=standing.count + 1)
        # Open ones, such as a sky behind a clock, are part of the world.
        enclosed = (shares.known <= OPEN * touching) & (touching > 0) & ~accepted
        if not enclosed.any():
            break
        accepted |= enclosed
    mask = accepted[labels].astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    _, holes, facts, _ = cv2.connectedComponentsWithStats(1 - mask, connectivity=4)
    small = facts[:, cv2.CC_STAT_AREA] <= HOLE * mask.size
    small[0] = False
    return _boards((mask > 0) | small[np.asarray(holes, np.int64)])


def _boards(mask: Bool[ndarray, "h w"]) -> Bool[ndarray, "h w"]:
    """The mask with every board whole: digits that change at its edge leave a dent."""
    result = mask.astype(np.uint8)
    outlines, _ = cv2.findContours(result, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    for outline in outlines:
        hull, area = cv2.convexHull(outline), max(cv2.contourArea(outline), 1.0)
        if area <= BOARD[0] * mask.size and cv2.contourArea(hull) <= BOARD[1] * area:
            cv2.fillConvexPoly(result, hull, (1,))
    return result > 0
