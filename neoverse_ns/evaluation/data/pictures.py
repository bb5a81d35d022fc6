"""Pictures and masks of benchmark scenes, as their files have them, at the size that is wanted."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Shaped, UInt8
from PIL import Image

from neoverse_ns.clip.image_file import opened_image
from neoverse_ns.errors import ClipError

_HALF = 127
"""Grey level above which a mask's pixel is white."""


def read_colours(path: Path, size: tuple[int, int] | None = None) -> UInt8[np.ndarray, "h w 3"]:
    """RGB as it is in the file, also under transparent pixels: benchmarks compare these numbers, not what a screen
    would make of them.

    Args:
        path: The picture.
        size: Width and height that it must have.

    Raises:
        ClipError: It is missing, damaged, or of another size.
    """
    return np.ascontiguousarray(read_rgba(path, size)[..., :3])


def read_rgba(path: Path, size: tuple[int, int] | None = None) -> UInt8[np.ndarray, "h w 4"]:
    """As :func:`read_colours`, with the cover; 255 where the file has none."""
    _there(path)
    with opened_image(path) as image:
        if not isinstance(image, Image.Image):
            raise ClipError(f"{path}: holds floating-point numbers where a picture of 8 bits was expected")
        pixels = np.asarray(image.convert("RGBA"))
    if size is not None and (pixels.shape[1], pixels.shape[0]) != size:
        raise ClipError(f"{path}: {pixels.shape[1]}x{pixels.shape[0]} pixels instead of {size[0]}x{size[1]}")
    return pixels


def read_mask(path: Path, size: tuple[int, int], above: int = _HALF) -> Bool[np.ndarray, "h w"]:
    """Where a picture is white.

    Args:
        path: The mask; of several channels the brightest counts.
        size: Width and height to bring it to, by the nearest pixel.
        above: Grey level above which a pixel is white.

    Raises:
        ClipError: It is missing or damaged.
    """
    _there(path)
    with opened_image(path) as image:
        if not isinstance(image, Image.Image):
            raise ClipError(f"{path}: holds floating-point numbers where a mask was expected")
        values = np.asarray(image if image.mode in ("L", "1") or image.mode.startswith("I") else image.convert("RGB"))
    values = values.max(axis=-1) if values.ndim == 3 else values
    white = values if values.dtype == np.bool_ else values > above
    return nearest(white, size)


def nearest(values: Shaped[np.ndarray, "h w"], size: tuple[int, int]) -> Shaped[np.ndarray, "th tw"]:
    """Masks or depth at another width and height, of the nearest pixel; centres stay centres."""
    height, width = values.shape
    if (width, height) == size:
        return values
    columns = ((np.arange(size[0]) + 0.5) * width / size[0]).astype(int)
    rows = ((np.arange(size[1]) + 0.5) * height / size[1]).astype(int)
    return np.ascontiguousarray(values[rows[:, None], columns])


def averaged(image: UInt8[np.ndarray, "h w c"], size: tuple[int, int]) -> UInt8[np.ndarray, "th tw c"]:
    """A picture at another width and height, by OpenCV's averages over areas."""
    if (image.shape[1], image.shape[0]) == size:
        return image
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _there(path: Path) -> None:
    if not path.is_file():
        raise ClipError(f"{path}: is missing")
