"""Things that stay put in the picture, pasted over clips: the truth is exact."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy import ndarray

Overlay = Callable[[ndarray], tuple[ndarray, ndarray]]
"""Frames [n,h,w,3] with something pasted over them, and the mask [h,w] of it."""


def still_texture(height: int, width: int, seed: int = 0) -> ndarray:
    """A soft random picture."""
    noise = np.random.default_rng(seed).integers(0, 255, (height // 6 + 1, width // 6 + 1, 3)).astype(np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC) // 2 + 30


def _places(frames: ndarray) -> tuple[ndarray, ndarray]:
    """Columns and rows from the middle, in widths of the picture."""
    height, width = frames.shape[1:3]
    y, x = np.mgrid[:height, :width]
    return (x + 0.5) / width - 0.5, (y + 0.5 - height / 2) / width


def _pasted(frames: ndarray, mask: ndarray, picture: ndarray | int) -> tuple[ndarray, ndarray]:
    return np.where(mask[..., None], picture, frames).astype(np.uint8), mask


def bonnet(frames: ndarray) -> tuple[ndarray, ndarray]:
    x, y = _places(frames)
    return _pasted(frames, y > 0.16 + 0.25 * x * x, still_texture(*frames.shape[1:3]))


def lit_bonnet(frames: ndarray) -> tuple[ndarray, ndarray]:
    """The same under changing light."""
    result, mask = bonnet(frames)
    for number, frame in enumerate(result):
        frame[mask] = (frame[mask] * (1 + 0.12 * np.sin(2.3 * number))).astype(np.uint8)
    return result, mask


def dark_bonnet(frames: ndarray) -> tuple[ndarray, ndarray]:
    x, y = _places(frames)
    return _pasted(frames, y > 0.16 + 0.25 * x * x, 12)


def logo(frames: ndarray) -> tuple[ndarray, ndarray]:
    x, y = _places(frames)
    return _pasted(frames, (abs(x - 0.3) < 0.09) & (abs(y + 0.18) < 0.05), still_texture(*frames.shape[1:3], seed=2))


def timer(frames: ndarray) -> tuple[ndarray, ndarray]:
    """A white board on which digits change."""
    result, mask = frames.copy(), np.zeros(frames.shape[1:3], bool)
    mask[5:27, 6:90] = True
    for number, frame in enumerate(result):
        frame[mask] = 245
        cv2.putText(frame, f"00:{number * 7:02d}", (10, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 0), 2)
    return result, mask


def round_border(frames: ndarray) -> tuple[ndarray, ndarray]:
    x, y = _places(frames)
    return _pasted(frames, np.hypot(x, y) > 0.29, 0)


def soft_round_border(frames: ndarray) -> tuple[ndarray, ndarray]:
    """Light falls off to nothing over a tenth of the width."""
    x, y = _places(frames)
    light = np.clip((0.36 - np.hypot(x, y)) / 0.1, 0, 1)
    return (frames * light[..., None]).astype(np.uint8), light < 0.05


def letterbox(frames: ndarray) -> tuple[ndarray, ndarray]:
    mask = np.ones(frames.shape[1:3], bool)
    mask[20:100] = False
    return _pasted(frames, mask, 0)


def blurred_sides(frames: ndarray) -> tuple[ndarray, ndarray]:
    height, width = frames.shape[1:3]
    mask = np.ones((height, width), bool)
    mask[:, 60 : width - 60] = False
    wide = [cv2.GaussianBlur(cv2.resize(f, None, fx=2, fy=2)[:height, :width], (0, 0), 7) for f in frames]
    return np.where(mask[..., None], np.stack(wide), frames), mask
