"""Frames of a window that pans over a large textured picture, in memory or as the first look sees them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from neoverse_ns.clip.changes import ChangeMeter
from neoverse_ns.clip.source import SeenFrame, picture_of, thumbnail_of

WIDTH, HEIGHT = 320, 180


def panorama(seed: int, width: int = 900) -> np.ndarray:
    """A picture full of things of all sizes: random rectangles and discs, smaller ones in front of larger ones."""
    rng = np.random.default_rng(seed)
    image = np.full((HEIGHT, width, 3), rng.integers(40, 210, 3), np.uint8)
    for size in np.geomspace(90, 5, 160 * width // 900):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, HEIGHT))
        half = (max(int(size * rng.uniform(0.3, 1)), 2), max(int(size * rng.uniform(0.3, 1)), 2))
        colour = tuple(int(c) for c in rng.integers(0, 256, 3))
        if rng.random() < 0.5:
            cv2.rectangle(image, (x - half[0], y - half[1]), (x + half[0], y + half[1]), colour, -1, cv2.LINE_AA)
        else:
            cv2.ellipse(image, (x, y), half, float(rng.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
    return image


def pan(seed: int, lefts: Sequence[float], width: int = 900) -> list[np.ndarray]:
    """Windows of a panorama whose left edges lie at `lefts`, to fractions of a pixel."""
    wide, result = panorama(seed, width), []
    for left in lefts:
        shift = np.array([[1, 0, -left], [0, 1, 0]], np.float32)
        result.append(cv2.warpAffine(wide, shift, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR))
    return result


def dissolved(first: list[np.ndarray], second: list[np.ndarray], length: int) -> list[np.ndarray]:
    """`first`, whose last `length` frames turn into the first of `second`, and the rest of that."""
    shares = (np.arange(length) + 1) / (length + 1)
    pairs = zip(first[-length:], second[:length], shares, strict=True)
    mixed = [np.round(a * (1 - share) + b * share).astype(np.uint8) for a, b, share in pairs]
    return [*first[:-length], *mixed, *second[length:]]


def seen(images: Sequence[np.ndarray], rate: float = 30.0) -> list[SeenFrame]:
    """The frames as a source gives them."""
    meter, result = ChangeMeter(), []
    for i, image in enumerate(images):
        change, picture = meter.measure(picture_of(image), i / rate)
        result.append(SeenFrame(i, i / rate, image.shape[1::-1], thumbnail_of(image), None, change, picture))
    return result
