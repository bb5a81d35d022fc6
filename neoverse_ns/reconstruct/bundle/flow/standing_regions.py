"""Regions of the picture that do not change while time passes, and the outlines where they meet what does.

A region is either plain or textured; a plain one ends where texture that stays put begins, so that a sky and the clock
that is printed on it are two.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from numpy import ndarray

from neoverse_ns.reconstruct.bundle.flow.masked_flow import grown

SMOOTHING = 0.8
"""Standard deviation in pixels with which frames are smoothed: noise and compression shimmer."""
MOSTLY = 0.8
"""Share of the frames in which something must hold; the rest may flicker, or show a hand before it."""
STILL = 2.5
"""Change in grey levels up to which a pixel stays as it is."""
EDGE = 3.0
"""Gradient in grey levels per pixel, in the median over time, from which it is an edge that stays."""
ALONG, ACROSS = (0.6, 1.6), 0.4
"""Gradient along the lasting one, and across it, as a share of it, with which a frame shows the same edge."""
STEP = 5.0
"""Difference in grey levels across an outline."""
SELDOM = 0.25
"""Share of the frames in which two things may happen to look alike across an outline."""
INSIDE, OUTSIDE = -2.0, 2.0
"""Where it is measured: pixels from the outline, outwards."""
COVERED, SHADE = 8.0, 0.2
"""Change in grey levels, and beyond it as a share of the grey value, from which a pixel is hidden by something else
and not only seen in another light."""
NEIGHBOUR = 3


@dataclass(frozen=True)
class Standing:
    """What stays put.

    Attributes:
        mask: All of it.
        labels: Number of the region of every pixel, from 1; 0 elsewhere.
        plain: How many of the regions are plain; they have the lowest numbers.
        gradient: Median over time of the gradient in grey levels per pixel, x then y.
    """

    mask: Bool[ndarray, "h w"]
    labels: Int[ndarray, "h w"]
    plain: int
    gradient: Float[ndarray, "2 h w"]

    @property
    def count(self) -> int:
        """How many regions there are."""
        return int(self.labels.max(initial=0))


@dataclass(frozen=True)
class Outline:
    """Pixels where something that stays put meets something that does not.

    Attributes:
        rows: Where they are.
        columns: Where they are.
        outward: Unit normals, x then y.
    """

    rows: Int[ndarray, " b"]
    columns: Int[ndarray, " b"]
    outward: Float[ndarray, "2 b"]

    def at(self, image: Float[ndarray, "h w"], distance: float) -> Float[ndarray, " b"]:
        """Values so many pixels outwards, interpolated."""
        if not len(self.rows):
            return np.zeros(0, np.float32)
        x = (self.columns + distance * self.outward[0]).astype(np.float32)[None]
        y = (self.rows + distance * self.outward[1]).astype(np.float32)[None]
        return cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]


def smoothed(gray: UInt8[ndarray, "n h w"]) -> Float[ndarray, "n h w"]:
    """Frames as they are compared."""
    return np.stack([cv2.GaussianBlur(image.astype(np.float32), (0, 0), SMOOTHING) for image in gray])


def find_still_regions(frames: Float[ndarray, "n h w"], outside: Bool[ndarray, "h w"]) -> Standing:
    """Everything that looks the same in most frames.

    Pixels count whose value stays, and those of edges that stay though their contrast may change with the light.

    Args:
        frames: Smoothed.
        outside: Pixels that are known to be no part of the world; they are in no region.
    """
    change = np.quantile(np.abs(frames - np.median(frames, axis=0)), MOSTLY, axis=0)
    x, y = (np.stack([cv2.Scharr(image, -1, *axis) / 32 for image in frames]) for axis in ((1, 0), (0, 1)))
    gradient = np.stack([np.median(x, axis=0), np.median(y, axis=0)])
    strength = np.hypot(*gradient)
    along = (x * gradient[0] + y * gradient[1]) / (strength + 1e-6)
    across = (x * gradient[1] - y * gradient[0]) / (strength + 1e-6)
    same = (along > ALONG[0] * strength) & (along < ALONG[1] * strength) & (np.abs(across) < ACROSS * strength)
    lasting = (strength > EDGE) & (same.mean(axis=0) > MOSTLY)
    square = np.ones((NEIGHBOUR, NEIGHBOUR), np.uint8)
    mask = cv2.morphologyEx((change < STILL).astype(np.uint8), cv2.MORPH_OPEN, square)
    textures = cv2.morphologyEx(_closed(lasting), cv2.MORPH_OPEN, square)
    still = (_closed((mask > 0) | (textures > 0)) > 0) & ~grown(outside, NEIGHBOUR)
    textured = still & (cv2.dilate((strength > EDGE).astype(np.uint8), square) > 0)
    plain = cv2.morphologyEx((still & ~textured).astype(np.uint8), cv2.MORPH_OPEN, square)
    count, first = cv2.connectedComponents(plain, connectivity=4)
    _, second = cv2.connectedComponents((still & (plain == 0)).astype(np.uint8), connectivity=4)
    first, second = np.asarray(first), np.asarray(second)
    labels = np.where(first > 0, first, np.where(second > 0, second + count - 1, 0))
    return Standing(still, labels, count - 1, gradient)


def _closed(mask: ndarray) -> UInt8[ndarray, "h w"]:
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, disc)


def outline_of(mask: Bool[ndarray, "h w"], outside: Bool[ndarray, "h w"]) -> Outline:
    """The pixels of a mask beside others, but for those at the picture's border or near `outside`."""
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 2)
    normal = -np.stack([cv2.Scharr(soft, -1, 1, 0), cv2.Scharr(soft, -1, 0, 1)])
    normal /= np.linalg.norm(normal, axis=0) + 1e-9
    beside = cv2.dilate((~mask).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    edge = mask & beside & ~grown(outside, 2 * NEIGHBOUR)
    edge[:2] = edge[-2:] = False
    edge[:, :2] = edge[:, -2:] = False
    rows, columns = np.nonzero(edge)
    return Outline(rows, columns, normal[:, rows, columns])


def has_step(outline: Outline, frames: Float[ndarray, "n h w"]) -> Bool[ndarray, " b"]:
    """Whether there is an edge at the outline in nearly every frame.

    The outline of something that stays put is one. Where a sky ends, because a roof swept past it now and then, mostly
    sky lies on both sides.
    """
    steps = [np.abs(outline.at(image, OUTSIDE) - outline.at(image, INSIDE)) for image in frames]
    return np.quantile(np.stack(steps), SELDOM, axis=0) > STEP


def never_covered(outline: Outline, frames: Float[ndarray, "n h w"]) -> Bool[ndarray, " b"]:
    """Whether what stays put is in front of all that moves: just inside the outline it is never hidden.

    Behind a person who moves before a camera that stands still, the room is now and then.
    """
    values = np.stack([outline.at(image, 1.5 * INSIDE) for image in frames])
    typical = np.median(values, axis=0)
    # One frame may be damaged.
    change = np.sort(np.abs(values - typical), axis=0)[-2]
    return change < COVERED + SHADE * typical
