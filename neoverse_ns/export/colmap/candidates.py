"""Which pixels of a keyframe are worth a point: sure of their depth, standing still, and easy to find again."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int64, UInt8
from numpy import ndarray

TRUSTED = 0.3
"""Least confidence of a point's depth."""
CELLS = 5000
"""About so many points are looked for in a keyframe, one in each cell of a grid."""
SMOOTH = 1.1
"""Largest ratio of depths around a point: across an edge a patch would show two surfaces."""
AROUND = 3
"""Pixels (at 384 px width) around a point within which nothing may move, be ignored or jump in depth."""


def cell_size(height: int, width: int) -> int:
    """Side in pixels of the grid's cells."""
    return max(3, round((height * width / CELLS) ** 0.5))


def sure_pixels(
    depth: Float[ndarray, "h w"], confidence: Float[ndarray, "h w"], left_out: Bool[ndarray, "h w"], border: int
) -> Bool[ndarray, "h w"]:
    """Pixels whose depth can be relied on, with smooth surroundings that stand still.

    Args:
        depth: z-depth.
        confidence: Trust in it in [0, 1].
        left_out: What moves, or is no part of the world.
        border: Pixels along the borders that are not wanted.
    """
    reach = max(1, round(AROUND * depth.shape[1] / 384))
    near = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    depth = depth.astype(np.float32)
    smooth = cv2.dilate(depth, near) < SMOOTH * cv2.erode(depth, near)
    clear = cv2.dilate(left_out.astype(np.uint8), near) == 0
    inside = np.zeros(depth.shape, bool)
    inside[border : depth.shape[0] - border, border : depth.shape[1] - border] = True
    return smooth & clear & inside & (confidence >= TRUSTED)


def one_per_cell(
    gray: UInt8[ndarray, "h w"], sure: Bool[ndarray, "h w"], taken: Bool[ndarray, "gh gw"]
) -> tuple[Int64[ndarray, " n"], Int64[ndarray, " n"]]:
    """In each cell that is not taken yet, the sure pixel that is most of a corner (Shi and Tomasi, CVPR 1994).

    Args:
        gray: The keyframe.
        sure: See :func:`sure_pixels`.
        taken: Cells that have a point; cells at the right and bottom borders may be cut.

    Returns:
        Rows and columns of the pixels.
    """
    side = cell_size(*gray.shape)
    strength = cv2.cornerMinEigenVal(gray, 7)
    strength[~sure] = -1
    full = np.full((taken.shape[0] * side, taken.shape[1] * side), -1, np.float32)
    full[: gray.shape[0], : gray.shape[1]] = strength
    cells = full.reshape(taken.shape[0], side, taken.shape[1], side).swapaxes(1, 2).reshape(*taken.shape, side * side)
    best = cells.argmax(-1)
    found = (np.take_along_axis(cells, best[..., None], -1)[..., 0] > 0) & ~taken
    row, column = np.nonzero(found)
    within = best[found]
    return row * side + within // side, column * side + within % side
