"""Telling by looking that a picture is the inside of a sphere, or the round picture of a fisheye lens."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, UInt8

# Spread of grey values along the left and right border without which nothing is seen to continue.
_TEXTURE = 8.0
# Grey value up to which a pixel is black, as codecs leave it, and the distance of other colours.
_BLACK = 20
_MARGIN = 0.03


def find_sphere(images: Sequence[UInt8[np.ndarray, "h w 3"]]) -> bool:
    """Whether pictures twice as wide as high are equirectangular.

    Either the right border continues at the left one while top and bottom, single points of the sphere, hardly change
    from left to right; or a flat picture lies on the sphere, bent as that bends it, with one colour around.
    """
    images = [image for image in images if is_double(image.shape[1], image.shape[0]) and image.std() >= _TEXTURE]
    if not images or min(images[0].shape[:2]) < 32:
        return False
    closed = sum(_closes(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)) for image in images)
    if 3 * closed >= 2 * len(images):
        return True
    alike = [image for image in images if image.shape == images[0].shape]
    seen = [mask for image in alike if (mask := _on_one_colour(image)) is not None]
    return len(seen) == len(alike) and _flat_on_sphere(np.logical_or.reduce(seen))


def is_double(width: int, height: int) -> bool:
    """Whether a picture is twice as wide as high, as all of a sphere is."""
    return abs(width / (2 * height) - 1) < 0.01


def is_round(images: Sequence[UInt8[np.ndarray, "h w 3"]]) -> bool:
    """Whether all that pictures show lies in one circle on black."""
    grays = [cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY) for image in images]
    grays = [gray for gray in grays if gray.std() >= _TEXTURE]
    if not grays:
        return False
    seen = _seen(grays)
    rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if len(rows) < 32 or len(columns) < 32:
        return False
    box = seen[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    h, w = box.shape
    y, x = np.mgrid[:h, :w]
    from_centre = np.hypot((y + 0.5) / h - 0.5, (x + 0.5) / w - 0.5)
    # A dark scene leaves holes in what is seen of the disc, but outside, beyond its blurred rim, nothing may be seen.
    inside, outside = float(box[from_centre <= 0.5].mean()), float(box[from_centre > 0.52].mean())
    return abs(w / h - 1) < 0.06 and outside < 0.04 and inside > 0.9


def _closes(gray: Float32[np.ndarray, "h w"]) -> bool:
    first, last = gray[:, 0], gray[:, -1]
    if min(first.std(), last.std()) < _TEXTURE:
        return False
    width = gray.shape[1]
    step = float(np.median(np.abs(np.diff(gray, axis=1)).mean(axis=0)))
    others = [float(np.abs(first - gray[:, c]).mean()) for c in (width // 4, width // 2, 3 * width // 4)]
    gap = float(np.abs(first - last).mean())
    rows = gray.std(axis=1)
    inner = float(np.median(rows[len(rows) // 4 : 3 * len(rows) // 4]))
    poles = max(float(rows[0]), float(rows[-1]))
    return gap < 2.5 * step + 1 and gap < 0.4 * min(others) and poles < 0.35 * inner


def _seen(grays: Sequence[UInt8[np.ndarray, "h w"]]) -> Bool[np.ndarray, "h w"]:
    """Where any picture is not black; single bright pixels of codecs do not count."""
    bright = np.maximum.reduce([gray for gray in grays if gray.shape == grays[0].shape])
    return cv2.medianBlur(bright, 5) > _BLACK


def _on_one_colour(image: UInt8[np.ndarray, "h w 3"]) -> Bool[np.ndarray, "h w"] | None:
    """Where a picture differs from the colour that its whole border has; None where the border is of several."""
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]]).astype(np.float32)
    colour = np.median(border, axis=0)
    if float(np.abs(border - colour).max(axis=1).mean()) > 4:
        return None
    return np.abs(cv2.medianBlur(image, 3).astype(np.float32) - colour).max(axis=2) > _BLACK


def _flat_on_sphere(seen: Bool[np.ndarray, "h w"]) -> bool:
    """Whether what is seen has a top or bottom bent as a sphere bends straight lines, and none that is straight.

    A line at a constant height of a flat picture runs where tan(latitude) = constant * cos(longitude). Edges that sky
    hides, being of the colour around, are neither.
    """
    h, w = seen.shape
    columns, rows = np.flatnonzero(seen.mean(axis=0) > 0.02), np.flatnonzero(seen.mean(axis=1) > 0.02)
    if len(columns) < w // 16 or len(rows) < 8:
        return False
    left, right = int(columns[0]), int(columns[-1])
    if left < _MARGIN * w or right > (1 - _MARGIN) * w or rows[0] < _MARGIN * h or rows[-1] > (1 - _MARGIN) * h:
        return False
    inset = max((right - left) // 20, 2)
    inner = np.arange(left + inset, right - inset + 1)
    shown = seen[:, inner]
    if shown.any(axis=0).mean() < 0.9:
        return False
    # Of the columns that show anything: others would put the edge at the picture's own border.
    inner, shown = inner[shown.any(axis=0)], shown[:, shown.any(axis=0)]
    longitude = ((inner + 0.5) - (left + right + 1) / 2) / w * 2 * math.pi
    bends = [_bend(edge, h, longitude) for edge in (shown.argmax(axis=0), h - shown[::-1].argmax(axis=0))]
    return "bent" in bends and "straight" not in bends


def _bend(edge: Int64[np.ndarray, " n"], height: int, longitude: Float64[np.ndarray, " n"]) -> str:
    """ "bent" as a sphere bends a line, "straight", or "unclear"; `edge` holds a row for every column."""
    tangent = float(np.median(np.tan((0.5 - edge / height) * math.pi) / np.cos(longitude)))
    bent = (0.5 - np.arctan(tangent * np.cos(longitude)) / math.pi) * height
    off_bent, off_straight = float(np.median(np.abs(edge - bent))), float(np.median(np.abs(edge - np.median(edge))))
    if off_straight < 1:
        return "straight" if float(np.abs(bent - np.median(bent)).max()) > 3 else "unclear"
    return "bent" if off_bent < 0.35 * off_straight else "unclear"
