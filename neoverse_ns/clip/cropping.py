"""Which part of a source's picture becomes the clip: all of it, what lies between bars, or what the user asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Shaped, UInt8

from neoverse_ns.clip.borders import Box, find_borders
from neoverse_ns.clip.lens_border import round_picture
from neoverse_ns.errors import ClipError, SettingsError

SAMPLES, SEARCH_SIDE = 9, 640
"""Frames in which bars are looked for, and the longer side in pixels that they are reduced to."""
OFF_CENTRE = 0.02
"""Share of a side by which a crop's middle may lie off the picture's before that is said."""


def parse_crop(crop: str) -> Box | None:
    """The box that a setting names; None for `auto` and `none`.

    Raises:
        SettingsError: It is none of these.
    """
    if crop in ("auto", "none"):
        return None
    try:
        x, y, width, height = (int(part) for part in crop.split(","))
    except ValueError:
        x, y, width, height = -1, -1, 0, 0
    if min(x, y) < 0 or min(width, height) < 1:
        raise SettingsError(
            f"crop must be auto, none, or x,y,w,h in whole pixels of the source, such as 0,60,1280,600, got '{crop}'"
        )
    return x, y, width, height


def given_crop(crop: str, source: tuple[int, int], where: str, notes: list[str]) -> Box | None:
    """The box that the user asked for; None where none was.

    Args:
        crop: The setting.
        source: Upright width and height of the source.
        where: The source, for errors.
        notes: What has to be said is added.

    Raises:
        ClipError: It reaches beyond the picture.
    """
    box = parse_crop(crop)
    if box is None:
        return None
    x, y, width, height = box
    if x + width > source[0] or y + height > source[1]:
        raise ClipError(
            f"{where}: the crop {crop} reaches beyond the picture, which has {source[0]}x{source[1]} pixels (x and y "
            "count from the upper left corner, w and h are sizes)"
        )
    aside = abs(x + width / 2 - source[0] / 2) / source[0], abs(y + height / 2 - source[1] / 2) / source[1]
    if max(aside) > OFF_CENTRE:
        notes.append(
            "the crop is not in the middle of the picture, and its own middle is taken for the lens's axis; to leave "
            "part of a picture out, mask it with --ignore instead"
        )
    return box


class BorderSearch:
    """Collects some frames while they are decoded, and finds the bars in them.

    Args:
        count: Frames that will pass.
        source: Their upright width and height in square pixels.
    """

    def __init__(self, count: int, source: tuple[int, int]) -> None:
        self._wanted = set(np.linspace(0, count - 1, min(count, SAMPLES)).round().astype(int).tolist())
        self._source = source
        scale = min(1.0, SEARCH_SIDE / max(source))
        self._size = max(round(source[0] * scale), 1), max(round(source[1] * scale), 1)
        self._seen: list[UInt8[np.ndarray, "h w 3"]] = []

    def see(self, place: int, image: UInt8[np.ndarray, "h w 3"]) -> None:
        """Look at frame number `place`."""
        if place in self._wanted:
            self._seen.append(cv2.resize(image, self._size, interpolation=cv2.INTER_AREA))

    def found(self, notes: list[str]) -> Box | None:
        """The picture between its bars in the source's pixels; None where there are no bars. Says so in `notes`."""
        borders = None
        if self._seen:
            frames = np.stack(self._seen)
            borders = find_borders(frames) or (round_picture(frames) if len(frames) > 1 else None)
        if borders is None:
            return None
        x, y, width, height = borders.box
        across = _inside(x, x + width, self._size[0], self._source[0])
        down = _inside(y, y + height, self._size[1], self._source[1])
        box = across[0], down[0], across[1] - across[0], down[1] - down[0]
        beside = "the dark beside a round picture is" if borders.kinds == ("round",) else "bars beside the picture are"
        notes.append(
            f"{beside} cut off: using {box[2]}x{box[3]} of {self._source[0]}x"
            f"{self._source[1]} pixels, from column {box[0]} and row {box[1]} on; --crop none keeps them"
        )
        return box


def _inside(first: int, last: int, searched: int, source: int) -> tuple[int, int]:
    """Bounds in the source's pixels that are certainly inside those found in a picture of `searched` pixels."""
    scale = source / searched
    margin = scale if scale > 1 else 0.0
    low = 0 if first == 0 else math.ceil(first * scale + margin)
    high = source if last == searched else math.floor(last * scale - margin)
    return low, high


def cut(
    image: Shaped[np.ndarray, "h w *c"], source: tuple[int, int], box: Sequence[int] | None
) -> Shaped[np.ndarray, "ch cw *c"]:
    """The part of an image that a box in the source's pixels names; the image may be smaller, its pixels not square."""
    if box is None:
        return image
    across, down = image.shape[1] / source[0], image.shape[0] / source[1]
    left, right = round(box[0] * across), round((box[0] + box[2]) * across)
    top, bottom = round(box[1] * down), round((box[1] + box[3]) * down)
    return image[top : max(bottom, top + 1), left : max(right, left + 1)]


def needed(size: tuple[int, int], source: tuple[int, int], box: Sequence[int] | None) -> tuple[int, int]:
    """Width and height of a whole image of which the box has `size`."""
    if box is None:
        return size
    return math.ceil(size[0] * source[0] / box[2]), math.ceil(size[1] * source[1] / box[3])
