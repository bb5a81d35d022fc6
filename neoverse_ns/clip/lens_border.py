"""The dark around a round picture: endoscopes, circular fisheyes, adaptors whose tube shows in the corners.

Such a border may fade so softly that it has no outline. But it is dark in all four corners, in every frame. What is
empty on both sides is cut off; the corners that are left are masked later.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, UInt8
from numpy import ndarray

from neoverse_ns.clip.borders import Borders

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
SMOOTHING = 0.8
"""Standard deviation in pixels with which frames are smoothed before."""
MARGIN = 0.01
"""Width, as a share of the picture's, of the dim seam that counts as border, too."""
EMPTY = 0.03
"""Share of a side that must be empty at both ends to be cut off."""


def find_lens_border(frames: UInt8[ndarray, "n h w 3"]) -> Bool[ndarray, "h w"] | None:
    """Pixels around a round picture that are dark in every frame; None where the corners are not."""
    height, width = frames.shape[1:3]
    gray = [cv2.GaussianBlur(cv2.cvtColor(f, cv2.COLOR_RGB2GRAY), (0, 0), SMOOTHING).astype(np.float32) for f in frames]
    brightest = np.max(gray, axis=0)
    side = max(round(CORNER * width), 2)
    corners = [brightest[rows, columns] for rows in _ends(side) for columns in _ends(side)]
    darkest = min(float(np.min(gray)), DARK)
    levels = [float(np.median(corner)) for corner in corners]
    if max(levels) > DARK or max(levels) - darkest > ALIKE:
        return None
    dark = (brightest < max(levels) + ALIKE).astype(np.uint8)
    _, labels = cv2.connectedComponents(cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)))
    labels = np.asarray(labels)
    found = {int(labels[y, x]) for y in (0, height - 1) for x in (0, width - 1)}
    mask = np.isin(labels, list(found - {0}))
    if 0 in found or not SMALLEST <= mask.mean() <= LARGEST:
        return None
    seam = 2 * max(round(MARGIN * width), 1) + 1
    return cv2.dilate(mask.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (seam, seam))) > 0


def round_picture(frames: UInt8[ndarray, "n h w 3"]) -> Borders | None:
    """The middle of a picture that is empty on both sides alike, or above and below; None where it is not.

    As much is cut off on either side, so that the lens's axis stays in the middle.
    """
    mask = find_lens_border(frames)
    if mask is None or mask.all():
        return None
    height, width = mask.shape
    empty = [(~mask).any(axis=axis).nonzero()[0] for axis in (0, 1)]
    left, top = (min(int(used[0]), side - 1 - int(used[-1])) for used, side in zip(empty, (width, height), strict=True))
    left, top = (cut if cut >= EMPTY * side else 0 for cut, side in ((left, width), (top, height)))
    if not left and not top:
        return None
    return Borders((left, top, width - 2 * left, height - 2 * top), ("round",))


def _ends(side: int) -> tuple[slice, slice]:
    return slice(None, side), slice(-side, None)
