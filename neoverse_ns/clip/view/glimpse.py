"""A few pictures of a source, seen before anything about it is decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import UInt8

from neoverse_ns.clip.view.layout import Layout

#: Pictures that are looked at, the least size they may be decoded in, and the width to which larger ones are reduced.
GLIMPSES = 5
GLIMPSE_LEAST = (512, 256)
GLIMPSE_WIDTH = 1024


@dataclass(frozen=True)
class Glimpse:
    """Pictures from the part of a source that will be used.

    Attributes:
        size: Upright width and height in square pixels.
        images: Upright pictures, possibly reduced; their pixels need not be square.
        stated: What metadata says they show; None where it says nothing.
    """

    size: tuple[int, int] = (0, 0)
    images: Sequence[UInt8[np.ndarray, "h w 3"]] = field(default=())
    stated: Layout | None = None


def reduced(image: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "rh rw 3"]:
    """An image small enough to keep several of."""
    if image.shape[1] <= GLIMPSE_WIDTH:
        return image
    height = max(round(image.shape[0] * GLIMPSE_WIDTH / image.shape[1]), 1)
    return cv2.resize(image, (GLIMPSE_WIDTH, height), interpolation=cv2.INTER_AREA)
