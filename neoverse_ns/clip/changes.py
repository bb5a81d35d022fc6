"""How much the picture changes from one frame to the next, measured finely enough to tell a repeat from slow motion."""

from __future__ import annotations

import math

import cv2
import numpy as np
from jaxtyping import UInt8

# The picture is judged in so many parts (x, y): a small thing that moves fills one of them, however still the rest is.
_PARTS = (16, 9)
# Seconds between the pictures that are kept: things are recognised across them, and long films must fit into memory.
_KEPT_EVERY = 1 / 8


def picture_change(first: UInt8[np.ndarray, "h w"], second: UInt8[np.ndarray, "h w"]) -> float:
    """Mean difference in grey levels of the part of the picture that differs most.

    On pictures of `PICTURE_SIZE` from hand-held and walking clips neighbouring frames give 4 to 30, repeats of a frame
    0 to 2 after moderate compression, and 0 before.
    """
    return float(cv2.resize(cv2.absdiff(first, second).astype(np.float32), _PARTS, interpolation=cv2.INTER_AREA).max())


class ChangeMeter:
    """Compares each picture of a run with the one before it."""

    def __init__(self) -> None:
        self._before: np.ndarray | None = None
        self._kept = -math.inf

    def measure(
        self, picture: UInt8[np.ndarray, "h w"], seconds: float
    ) -> tuple[float, UInt8[np.ndarray, "h w"] | None]:
        """Change since the last call (infinite at the first), and the picture itself where it is to be kept."""
        change = math.inf if self._before is None else picture_change(self._before, picture)
        self._before = picture
        keep = seconds >= self._kept + _KEPT_EVERY - 1e-3
        if keep:
            self._kept = seconds
        return change, picture if keep else None
