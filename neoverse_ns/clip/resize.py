"""Choosing the size of the sampled frames and bringing frames to it without distorting their pixels."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import UInt8

from neoverse_ns.clip.config import SIDE_MULTIPLE, default_side


def _within(side: float, source: int) -> int:
    """Nearest multiple of `SIDE_MULTIPLE` (halves go up), at least one and, if possible, within the source's side."""
    multiple = max(int(side / SIDE_MULTIPLE + 0.5), 1)
    return SIDE_MULTIPLE * min(multiple, max(source // SIDE_MULTIPLE, 1))


def target_size(source: tuple[int, int], width: int | None, device: str) -> tuple[int, int]:
    """Width and height of the sampled frames, both multiples of 16 and, but for that rounding, never above the source.

    Args:
        source: Upright width and height in square pixels.
        width: Width asked for; None makes the longer side the device's default, so that portrait videos cost no more
            than landscape ones.
        device: Where the clip will be worked on.
    """
    w, h = source
    if width is None and h > w:
        out_h = _within(float(min(default_side(device), h)), h)
        return _within(out_h * w / h, w), out_h
    out_w = _within(float(min(default_side(device) if width is None else width, w)), w)
    return out_w, _within(out_w * h / w, h)


def fit(
    image: UInt8[np.ndarray, "h w c"], source: tuple[int, int], target: tuple[int, int]
) -> UInt8[np.ndarray, "th tw c"]:
    """Area-average `image` until it just covers `target`, then cut the overhang evenly off both sides.

    Pixels stay square, so that one focal length describes the camera; squeezing 16:9 to multiples of 16 would stretch
    it by up to 4 %.

    Args:
        image: Upright frame; its pixels need not be square.
        source: Width and height of the frame in square pixels.
        target: Width and height to reach.
    """
    scale = max(target[0] / source[0], target[1] / source[1])
    cover = max(round(source[0] * scale), target[0]), max(round(source[1] * scale), target[1])
    if (image.shape[1], image.shape[0]) != cover:
        shrinks = cover[0] <= image.shape[1] and cover[1] <= image.shape[0]
        image = cv2.resize(image, cover, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    left, top = (cover[0] - target[0]) // 2, (cover[1] - target[1]) // 2
    return np.ascontiguousarray(image[top : top + target[1], left : left + target[0]])
