"""Reading one image file: upright, 8-bit sRGB, reduced while decoding where it is larger than needed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Shaped, UInt8
from PIL import Image, UnidentifiedImageError

from neoverse_ns.clip.alpha import on_ground
from neoverse_ns.clip.deep import Depth, RawPicture, deep_values, is_deep, opened_by_opencv
from neoverse_ns.clip.formats import IMAGE_SUFFIXES as IMAGE_SUFFIXES
from neoverse_ns.clip.formats import content_of, register_plugins, why_not_opened
from neoverse_ns.clip.profiles import profile_of, to_srgb
from neoverse_ns.errors import ClipError

# Above this many pixels Pillow's four bytes a pixel get expensive, and OpenCV decodes to three and reduces by eight.
_LARGE_PIXELS = 100_000_000
# Decoding needs up to 3 bytes a pixel: this keeps it below 2 GB.
_MOST_PIXELS = 600_000_000
_TIMED = {"GIF", "PNG", "WEBP", "AVIF"}
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
    with opened_image(path) as image:
        width, height = image.size
        turns = _UPRIGHT[_orientation(image)][0]
    return (height, width) if turns % 2 else (width, height)


def is_animation(path: Path) -> bool:
    """Whether a file shows one picture after the other in time; pages, and what phones hide in photos, are no such.

    Raises:
        ClipError: The file cannot be read or is no image.
    """
    with opened_image(path) as image:
        timed = isinstance(image, Image.Image) and image.format in _TIMED
        return timed and bool(getattr(image, "is_animated", False))


def read_image(path: Path, least: tuple[int, int], depth: Depth | None = None) -> UInt8[np.ndarray, "h w c"]:
    """Decode an image, possibly reduced by a whole factor but never below `least` (width, height), and turn it upright.

    Args:
        path: The image file.
        least: Width and height that will be needed.
        depth: What more than 8 bits count up to; None takes 16 bits for whole numbers and 1 for others.

    Returns:
        RGB in sRGB, or RGB on plain ground with its cover where some of it is transparent.

    Raises:
        ClipError: The file cannot be read, is broken or truncated, or is too large to decode in 2 GB.
    """
    with opened_image(path) as image:
        turns, mirror = _UPRIGHT[_orientation(image)]
        needed = (least[1], least[0]) if turns % 2 else least
        # Only JPEG decodes at a fraction of its size; others ignore this.
        if isinstance(image, Image.Image):
            image.draft("RGB", needed)
        pixels = image.size[0] * image.size[1]
        if pixels > _MOST_PIXELS:
            raise ClipError(f"{path}: {image.size[0]}x{image.size[1]} pixels are too many to decode; reduce it first")
        array = on_ground_srgb(_reduced(image, path) if pixels > _LARGE_PIXELS else _in_8_bits(image, path, depth))
    return upright_image(array, turns, mirror)


def on_ground_srgb(image: Image.Image) -> UInt8[np.ndarray, "h w c"]:
    """Pixels of an 8-bit picture: sRGB, laid on plain ground where it is transparent."""
    pixels = np.asarray(to_srgb(image))
    return on_ground(pixels) if pixels.shape[-1] == 4 else pixels


def upright_image(array: Shaped[np.ndarray, "h w *c"], turns: int, mirror: bool) -> Shaped[np.ndarray, "uh uw *c"]:
    """Turn by quarters counter-clockwise, then mirror left and right."""
    array = np.rot90(array, turns)
    return np.ascontiguousarray(array[:, ::-1] if mirror else array)


def turned_as(mask: Bool[np.ndarray, "h w"], path: Path) -> Bool[np.ndarray, "uh uw"]:
    """Turn a mask as the image at `path` is turned upright, where the mask is as its pixels are stored."""
    with opened_image(path) as image:
        turns, mirror = _UPRIGHT[_orientation(image)]
        stored = mask.shape[1] * image.size[1] == mask.shape[0] * image.size[0]
    return upright_image(mask, turns, mirror) if stored else mask


@contextmanager
def opened_image(path: Path) -> Iterator[Image.Image | RawPicture]:
    """Open an image whatever its size; every way in which decoding can fail becomes a ClipError that names the file."""
    register_plugins()
    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            with _opened(path) as image:
                yield image
    except PermissionError as error:
        raise ClipError(f"{path}: no permission to read it") from error
    except UnidentifiedImageError as error:
        raise ClipError(f"{path}: {why_not_opened(path)}") from error
    except ClipError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise ClipError(f"{path}: is broken or truncated ({error}); replace or remove it") from error
    finally:
        Image.MAX_IMAGE_PIXELS = limit


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image | RawPicture]:
    try:
        image = Image.open(path)
    except UnidentifiedImageError:
        # Coloured floating point TIFFs, which are whole, are not for Pillow.
        raw = opened_by_opencv(path) if content_of(path) == "image" else None
        if raw is None:
            raise
        yield raw
    else:
        with image:
            yield image


def _orientation(image: Image.Image | RawPicture) -> int:
    """EXIF orientation, 1 (upright) where there is none or it makes no sense."""
    if isinstance(image, RawPicture):
        return 1
    # The base class's method: PNG's own decodes the whole image first, in case the information comes after the pixels.
    value = Image.Image.getexif(image).get(_EXIF_ORIENTATION, 1)
    return value if value in _UPRIGHT else 1


def _in_8_bits(image: Image.Image | RawPicture, path: Path, depth: Depth | None) -> Image.Image:
    """The picture with at most 8 bits a channel, with its profile; Pillow by itself keeps the upper of 16."""
    pillow_keeps = isinstance(image, Image.Image) and image.mode in ("RGB", "RGBA", "LA")
    if not is_deep(image) or (pillow_keeps and (depth is None or depth.bits == 16)):
        assert isinstance(image, Image.Image)
        return image
    values = (depth or Depth()).to_8_bits(deep_values(image, path))
    shallow = Image.fromarray(values[..., 0] if values.shape[-1] == 1 else values)
    if isinstance(image, Image.Image) and profile_of(image):
        shallow.info["icc_profile"] = profile_of(image)
    return shallow


def _reduced(image: Image.Image | RawPicture, path: Path) -> Image.Image:
    """An eighth of a very large picture, without its transparency, with its profile."""
    array = cv2.imread(str(path), cv2.IMREAD_REDUCED_COLOR_8 | cv2.IMREAD_IGNORE_ORIENTATION)
    if array is None:
        raise ClipError(f"{path}: is broken or truncated; replace or remove it")
    reduced = Image.fromarray(np.ascontiguousarray(array[..., ::-1]))
    if isinstance(image, Image.Image) and image.mode != "CMYK":
        reduced.info["icc_profile"] = profile_of(image)
    return reduced
