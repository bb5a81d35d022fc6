"""Reading one image file: upright, 8-bit RGB, reduced while decoding where it is larger than needed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image, UnidentifiedImageError

from neoverse_ns.errors import ClipError

#: Endings taken for images, in lower case. Animated GIFs are videos.
IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})

# Above this many pixels Pillow's four bytes a pixel get expensive, and OpenCV decodes to three and reduces by eight.
_LARGE_PIXELS = 100_000_000
# Decoding needs up to 3 bytes a pixel: this keeps it below 2 GB.
_MOST_PIXELS = 600_000_000
_EXIF_ORIENTATION = 0x0112
# Quarter turns counter-clockwise, then whether to mirror left and right, that undo each EXIF orientation.
_UPRIGHT = {
    1: (0, False),
    2: (0, True),
    3: (2, False),
    4: (2, True),
    5: (3, True),
    6: (3, False),
    7: (1, True),
    8: (1, False),
}


def image_size(path: Path) -> tuple[int, int]:
    """Upright width and height from the header alone.

    Raises:
        ClipError: The file cannot be read or is no image.
    """
    with _opened(path) as image:
        width, height = image.size
        turns = _UPRIGHT[_orientation(image)][0]
    return (height, width) if turns % 2 else (width, height)


def read_image(path: Path, least: tuple[int, int]) -> UInt8[np.ndarray, "h w 3"]:
    """Decode an image, possibly reduced by a whole factor but never below `least` (width, height), and turn it upright.

    Transparency is dropped, 16-bit values are brought to 8 bits.

    Raises:
        ClipError: The file cannot be read, is broken or truncated, or is too large to decode in 2 GB.
    """
    with _opened(path) as image:
        turns, mirror = _UPRIGHT[_orientation(image)]
        needed = (least[1], least[0]) if turns % 2 else least
        # Only JPEG decodes at a fraction of its size; others ignore this.
        image.draft("RGB", needed)
        pixels = image.size[0] * image.size[1]
        if pixels > _MOST_PIXELS:
            raise ClipError(f"{path}: {image.size[0]}x{image.size[1]} pixels are too many to decode; reduce it first")
        array = _reduced_by_opencv(path) if pixels > _LARGE_PIXELS else _as_rgb8(image, path)
    array = np.rot90(array, turns)
    return np.ascontiguousarray(array[:, ::-1] if mirror else array)


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open an image whatever its size; every way in which decoding can fail becomes a ClipError that names the file."""
    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            with Image.open(path) as image:
                yield image
    except PermissionError as error:
        raise ClipError(f"{path}: no permission to read it") from error
    except UnidentifiedImageError as error:
        raise ClipError(f"{path}: is empty, broken or not an image; replace or remove it") from error
    except ClipError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise ClipError(f"{path}: is broken or truncated ({error}); replace or remove it") from error
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 (upright) where there is none or it makes no sense."""
    # The base class's method: PNG's own decodes the whole image first, in case the information comes after the pixels.
    value = Image.Image.getexif(image).get(_EXIF_ORIENTATION, 1)
    return value if value in _UPRIGHT else 1


def _as_rgb8(image: Image.Image, path: Path) -> UInt8[np.ndarray, "h w 3"]:
    if image.mode == "F":
        raise ClipError(f"{path}: holds floating-point values; save it as an 8-bit image")
    if image.mode == "I" or image.mode.startswith("I;16"):
        values = np.asarray(image).astype(np.int64)
        grey = np.clip(values >> 8 if values.max(initial=0) > 255 else values, 0, 255).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    return np.asarray(image.convert("RGB"))


def _reduced_by_opencv(path: Path) -> UInt8[np.ndarray, "h w 3"]:
    array = cv2.imread(str(path), cv2.IMREAD_REDUCED_COLOR_8 | cv2.IMREAD_IGNORE_ORIENTATION)
    if array is None:
        raise ClipError(f"{path}: is broken or truncated; replace or remove it")
    return np.ascontiguousarray(array[..., ::-1])
