"""Depth edges moved to where the image has them.

Flow compares patches, so the nearer of two surfaces spills over the edge by some pixels. There a pixel belongs to the
surface whose colours it has.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

SPILL = 4
"""How many pixels (at 384 px width) a surface may spill over its edge."""
JUMP = 1.15
"""Ratio of depths within that distance from which there is an edge."""
STEEP = 0.3
"""Relative jump of depth within that distance at which trust has fallen to a half."""
DOUBTED = 0.15
"""Weight of the pixels in doubt, as witnesses of which colours a surface has, against the others."""
COLOUR = 10.0
"""Difference in grey levels at which a witness loses weight."""
RETREAT, ADVANCE = 0.35, 0.6
"""Share of the votes that moves a pixel to the farther, or to the nearer surface: the nearer one is what spills."""


def sharpen_edges(
    depth: Float[ndarray, "h w"], image: UInt8[ndarray, "h w 3"]
) -> tuple[Float[ndarray, "h w"], Float[ndarray, "h w"]]:
    """Put each pixel near a depth edge on the side whose colours it shares.

    The pixels around it vote with the likeness of their colour (as in the bilateral filter of Tomasi and Manduchi,
    ICCV 1998); the pixel takes the mean inverse depth of the winning side, or keeps its own where no side wins.

    Args:
        depth: z-depth.
        image: The picture it belongs to.

    Returns:
        The sharpened depth, and the trust in (0, 1] that is left near edges.
    """
    inverse = 1 / depth
    scale = max(image.shape[1] / 384, 0.5)
    reach = max(2, round(SPILL * scale))
    near = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    low, high = cv2.erode(inverse, near), cv2.dilate(inverse, near)
    trust = 1 / (1 + ((high / low - 1) / STEEP) ** 2)
    doubt = high > JUMP * low
    rows, columns = np.nonzero(doubt)
    if not len(rows):
        return depth, trust
    colour = cv2.medianBlur(np.ascontiguousarray(image), 3).astype(np.float32)
    own, middle = colour[rows, columns], np.sqrt(low * high)[rows, columns]
    weight = np.where(doubt, DOUBTED, 1.0).astype(np.float32)
    votes, sums = np.zeros((2, len(rows)), np.float32), np.zeros((2, len(rows)), np.float32)
    offsets = np.arange(-2 * reach, 2 * reach + 1, max(1, reach // 2))
    for dy in offsets:
        for dx in offsets:
            y, x = rows + dy, columns + dx
            inside = (y >= 0) & (y < depth.shape[0]) & (x >= 0) & (x < depth.shape[1])
            y, x = y.clip(0, depth.shape[0] - 1), x.clip(0, depth.shape[1] - 1)
            difference = np.abs(colour[y, x] - own).max(-1)
            vote = inside * weight[y, x] * np.exp(-difference / COLOUR) * np.exp(-np.hypot(dy, dx) / (2 * reach))
            value = inverse[y, x]
            for side, members in enumerate((value <= middle, value > middle)):
                votes[side] += vote * members
                sums[side] += vote * members * value
    nearer = (inverse[rows, columns] > middle).astype(np.int64)
    other = 1 - nearer
    place = np.arange(len(rows))
    share = votes[other, place] / votes.sum(0).clip(1e-9)
    moved = share > np.where(nearer == 1, RETREAT, ADVANCE)
    result = depth.copy()
    result[rows[moved], columns[moved]] = (votes[other, place] / sums[other, place].clip(1e-9))[moved]
    return result, trust
