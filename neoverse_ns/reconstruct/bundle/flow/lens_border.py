"""The dark around a round picture: endoscopes, circular fisheyes, adaptors whose tube shows in the corners.

Such a border may fade so softly that it has no outline. But it is dark in all four corners, in every frame.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

CORNER = 0.02
"""Side of the squares in the corners that are looked at, as a share of the picture's width."""
DARK = 24.0
"""Grey value below which a corner is dark."""
ALIKE = 8.0
"""Grey levels by which the corners may differ from each other, and the border from them."""
SMALLEST = 0.01
"""Share of the picture below which dark corners are left as they are."""
LARGEST = 0.9
"""Share from which the picture is simply dark."""


def find_lens_border(frames: Float[ndarray, "n h w"]) -> Bool[ndarray, "h w"] | None:
    """Pixels around a round picture that are dark in every frame; None where the corners are not.

    Args:
        frames: Smoothed grey values.
    """
    height, width = frames.shape[1:]
    brightest = frames.max(axis=0)
    side = max(round(CORNER * width), 2)
    corners = [brightest[rows, columns] for rows in _ends(side) for columns in _ends(side)]
    darkest = min(float(frames.min()), DARK)
    levels = [float(np.median(corner)) for corner in corners]
    if max(levels) > DARK or max(levels) - darkest > ALIKE:
        return None
    dark = (brightest < max(levels) + ALIKE).astype(np.uint8)
    _, labels = cv2.connectedComponents(cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)))
    labels = np.asarray(labels)
    found = {int(labels[y, x]) for y in (0, height - 1) for x in (0, width - 1)}
    mask = np.isin(labels, list(found - {0}))
    return mask if 0 not in found and SMALLEST <= mask.mean() <= LARGEST else None


def _ends(side: int) -> tuple[slice, slice]:
    return slice(None, side), slice(-side, None)
