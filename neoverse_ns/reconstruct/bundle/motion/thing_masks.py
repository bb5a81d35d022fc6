"""Masks of things along the image's edges, and things looked for where the keyframes before and after show them.

Flow blurs outlines: a rim of grass goes along with what walks over it, and hands and feet are left out. Where colours
tell a thing from its surroundings, a cut along the image's edges (Rother et al., "GrabCut", SIGGRAPH 2004) decides near
the outline; where they do not, or the cut disagrees with the mask as a whole, the mask stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Int, UInt8
from numpy import ndarray
from torch import Tensor

from neoverse_ns.reconstruct.bundle.motion.keyframe_flow import Carried, KeyframeFlows
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
LOOK = 2
"""Keyframes to each side in which a thing that is not seen in between is looked up."""
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
    """What is known of one keyframe: its picture, which thing every pixel shows, and what those before and after it
    show there, the nearest ones first."""

    image: UInt8[ndarray, "h w 3"]
    labels: Int[ndarray, "h w"]
    before: list[Carried]
    after: list[Carried]


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
        before, after = (
            [
                known
                for other in range(place + step, place + (LOOK + 1) * step, step)
                if 0 <= other < len(images) and (known := flows.carry(things.labels[other], place, other)) is not None
            ]
            for step in (-1, 1)
        )
        labels = _refined(_Keyframe(images[place].numpy(), things.labels[place], before, after))
        return labels if free is None else np.where(free[place].numpy(), labels, 0)

    return Things(np.stack(list(map_on_cores(one, range(len(images))))), things.kin)


def _refined(frame: _Keyframe) -> Int[ndarray, "h w"]:
    result = frame.labels.copy()
    scale = max(frame.labels.shape[1] / 384, 0.5)
    before, after = (_shown([one.labels for one in side]) for side in (frame.before, frame.after))
    seen = _shown([frame.labels]) | before & after
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


def _shown(maps: list[Int[ndarray, "h w"]]) -> set[int]:
    """Labels that any of these has."""
    return {int(label) for labels in maps for label in np.unique(labels)}


def _seen_beside(frame: _Keyframe, thing: int) -> Bool[ndarray, "h w"]:
    """Where the keyframes before and after in which the thing was seen last and next show it, by trusted flow."""
    both = np.ones(frame.labels.shape, bool)
    for side in (frame.before, frame.after):
        shown = next((one for one in side if (one.labels == thing).any()), None)
        if shown is None:
            return np.zeros(frame.labels.shape, bool)
        both &= (shown.labels == thing) & (shown.trust >= SEEN_BESIDE)
    # Trust has holes on plain and thin parts.
    return cv2.morphologyEx(both.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)) > 0


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
        inner = cv2.erode(mask, _disc(1.0))
    state = np.where(inner > 0, cv2.GC_FGD, np.where(mask > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD))
    state = np.where((outer == 0) | others[box], cv2.GC_BGD, state).astype(np.uint8)
    if _overlap(image[box][inner > 0], image[box][(outer == 0) & ~others[box]]) > LIKE:
        return None
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(np.ascontiguousarray(image[box]), state, (0, 0, 1, 1), *models, CUTS, cv2.GC_INIT_WITH_MASK)
    found = ((state == cv2.GC_FGD) | (state == cv2.GC_PR_FGD)).astype(np.uint8)
    found = np.asarray(cv2.morphologyEx(found, cv2.MORPH_OPEN, _disc(scale)), bool) & (outer > 0)
    found = (found | (inner > 0)) & ~others[box]
    if (found & mask).sum() < UNCHANGED * (found | mask).sum():
        return None
    result = np.zeros(start.shape, bool)
    result[box] = found
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
