"""Masks of things along the image's edges, and things looked for where the keyframes before and after show them.

Flow blurs outlines: a rim of grass goes along with what walks over it, and hands and feet are left out. Once things are
linked, each brings its colours, and its outline from the keyframes beside; a cut along the image's edges (Rother et al.,
"GrabCut", SIGGRAPH 2004) decides near the outline. Where colours do not tell it from its surroundings, or the cut
disagrees with the mask as a whole, the mask stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from numpy import ndarray
from torch import Tensor

from neoverse_ns.reconstruct.bundle.motion.keyframe_flow import KeyframeFlows
from neoverse_ns.reconstruct.bundle.motion.things import Things
from neoverse_ns.reconstruct.bundle.parallel import map_on_cores

INWARD, OUTWARD = 6, 5
"""Pixels (at 384 px width) inside and outside the outline between which the cut runs."""
AROUND = 14
"""Pixels (at 384 px width) around a thing whose colours say how its surroundings look."""
LEAST_PIXELS = 60
"""A smaller thing stays as it is: it has no colours to speak of."""
SEEN_BESIDE = 0.5
"""How surely the keyframes before and after must both show a thing at a pixel to look for it there."""
LEAST_FOUND = 40
"""Pixels in which a missed thing must be seen in both."""
UNCHANGED = 0.6
"""Overlap with the old mask, as intersection over union, below which the cut has lost the thing."""
LIKE = 0.25
"""Overlap of the colours of a thing's core and of its surroundings from which they do not tell the two apart."""
SHADES = 8
"""Steps of each colour channel in which that is looked at."""
CUTS = 2
"""Rounds of colour models and cut."""


@dataclass(frozen=True)
class _Keyframe:
    """What is known of one keyframe."""

    image: UInt8[ndarray, "h w 3"]
    labels: Int[ndarray, "h w"]
    beside: list[tuple[Int[ndarray, "h w"], Float[ndarray, "h w"]]]


def refine_masks(
    things: Things, images: list[UInt8[Tensor, "h w 3"]], free: Bool[Tensor, "k h w"] | None, flows: KeyframeFlows
) -> Things:
    """The same things with outlines along the images' edges.

    Args:
        things: As the motion of their pixels shows them.
        images: The keyframes.
        free: Where things may be; None for everywhere.
        flows: Between the keyframes.
    """

    def one(place: int) -> Int[ndarray, "h w"]:
        beside = []
        for other in (place - 1, place + 1):
            known = flows.carry(things.labels[other], place, other) if 0 <= other < len(images) else None
            if known is not None:
                beside.append((known.labels, known.trust))
        labels = _refined(_Keyframe(images[place].numpy(), things.labels[place], beside))
        return labels if free is None else np.where(free[place].numpy(), labels, 0)

    return Things(np.stack(list(map_on_cores(one, range(len(images))))), things.kin)


def _refined(frame: _Keyframe) -> Int[ndarray, "h w"]:
    result = frame.labels.copy()
    scale = max(frame.labels.shape[1] / 384, 0.5)
    seen = set(np.unique(frame.labels).tolist())
    if len(frame.beside) == 2:
        seen |= set.intersection(*(set(np.unique(labels).tolist()) for labels, _ in frame.beside))
    for thing in sorted(seen - {0}):
        old = frame.labels == thing
        looked = _seen_beside(frame, thing) & (frame.labels == 0)
        start = old | looked if looked.sum() >= LEAST_FOUND else old
        if start.sum() < LEAST_PIXELS:
            continue
        cut = _cut(frame.image, start, (result > 0) & ~old, scale)
        result[old] = 0
        result[(start if cut is None else cut) & (result == 0)] = thing
    return result


def _seen_beside(frame: _Keyframe, thing: int) -> Bool[ndarray, "h w"]:
    """Where both keyframes beside show the thing, by flow that is trusted."""
    if len(frame.beside) < 2:
        return np.zeros(frame.labels.shape, bool)
    both = [(labels == thing) & (trust >= SEEN_BESIDE) for labels, trust in frame.beside]
    # Trust has holes on plain and thin parts.
    return cv2.morphologyEx((both[0] & both[1]).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)) > 0


def _cut(
    image: UInt8[ndarray, "h w 3"], start: Bool[ndarray, "h w"], others: Bool[ndarray, "h w"], scale: float
) -> Bool[ndarray, "h w"] | None:
    """The thing within `start`, cut out along the image's edges; None where the cut loses it."""
    reach = round(AROUND * scale)
    left, top, width, height = cv2.boundingRect(start.astype(np.uint8))
    box = np.s_[max(top - reach, 0) : top + height + reach, max(left - reach, 0) : left + width + reach]
    mask = start[box].astype(np.uint8)
    inner, outer = cv2.erode(mask, _disc(INWARD * scale)), cv2.dilate(mask, _disc(OUTWARD * scale))
    if not inner.any():
        inner = cv2.erode(mask, _disc(1))
    state = np.where(inner > 0, cv2.GC_FGD, np.where(mask > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD))
    state = np.where((outer == 0) | others[box], cv2.GC_BGD, state).astype(np.uint8)
    if _overlap(image[box][inner > 0], image[box][(outer == 0) & ~others[box]]) > LIKE:
        return None
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.ascontiguousarray(image[box]), state, None, *models, CUTS, cv2.GC_INIT_WITH_MASK)
    found = ((state == cv2.GC_FGD) | (state == cv2.GC_PR_FGD)).astype(np.uint8)
    found = cv2.morphologyEx(found, cv2.MORPH_OPEN, _disc(scale)) & (outer > 0) & ~others[box]
    found |= inner & ~others[box]
    if (found & mask).sum() < UNCHANGED * (found | mask).sum():
        return None
    result = np.zeros(start.shape, bool)
    result[box] = found > 0
    return result


def _overlap(first: UInt8[ndarray, "n 3"], second: UInt8[ndarray, "m 3"]) -> float:
    """Overlap in [0, 1] of the distributions of two sets of colours; 1 where one is empty."""
    if not len(first) or not len(second):
        return 1.0
    steps = np.array([SHADES * SHADES, SHADES, 1])
    shares = [
        np.bincount(colours.astype(np.int64) * SHADES // 256 @ steps, minlength=SHADES**3) / len(colours)
        for colours in (first, second)
    ]
    return float(np.minimum(*shares).sum())


def _disc(radius: float) -> UInt8[ndarray, "d d"]:
    side = 2 * max(round(radius), 1) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
