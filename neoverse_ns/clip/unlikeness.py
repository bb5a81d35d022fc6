"""How little two thumbnails can show the same scene."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
from jaxtyping import UInt8

# A thumbnail is compared in so many blocks a side, each of which may move by so many pixels (x, y).
_BLOCKS = 4
_SHIFT = (6, 4)


def unlikeness(first: UInt8[np.ndarray, "h w 3"], second: UInt8[np.ndarray, "h w 3"]) -> float:
    """How little two thumbnails can show the same scene: 0 for equal ones, about 0.5 to 1.4 for unrelated ones.

    Every block of `first` looks for its best match in `second` within a small shift (camera and object motion); the
    result is the median block's root mean square difference over the two pictures' mean spread, to which a constant is
    added so that noise in dark pictures stays small. The median forgives whatever happens in less than half of the
    picture.
    """
    h, w = first.shape[0] // _BLOCKS, first.shape[1] // _BLOCKS
    dx, dy = _SHIFT
    spread = (float(first.std(axis=(0, 1)).mean()) + float(second.std(axis=(0, 1)).mean())) / 2 + 4.0
    padded = cv2.copyMakeBorder(second, dy, dy, dx, dx, cv2.BORDER_REPLICATE)
    squares = []
    for y, x in itertools.product(range(0, _BLOCKS * h, h), range(0, _BLOCKS * w, w)):
        window = padded[y : y + h + 2 * dy, x : x + w + 2 * dx]
        scores = cv2.matchTemplate(window, first[y : y + h, x : x + w], cv2.TM_SQDIFF)
        squares.append(max(float(scores.min()), 0.0) / (h * w * 3))
    return float(np.sqrt(np.median(squares))) / spread
