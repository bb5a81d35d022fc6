"""Images of more than 8 bits: what their numbers count up to, and how they become 8 bits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Num, UInt8
from PIL import Image

from neoverse_ns.errors import ClipError

# Bits that cameras and programs are known to leave in files of 16.
_KNOWN_BITS = (8, 10, 12, 14, 16)
# White may be exceeded by this much, by resampling and by lossy compression of numbers.
_SLACK = 0.1


@dataclass(frozen=True)
class Depth:
    """How the numbers of deep images become brightness.

    Attributes:
        bits: Bits that whole numbers use; what lies above is cut.
        white: The floating point number that means white.
    """

    bits: int = 16
    white: float = 1.0

    def to_8_bits(self, values: Num[np.ndarray, "*shape"]) -> UInt8[np.ndarray, "*shape"]:
        """Brightness in [0, 255] of whole or floating point numbers."""
        if values.dtype.kind == "f":
            return np.round(np.clip(np.nan_to_num(values) / self.white, 0, 1) * 255).astype(np.uint8)
        return np.clip(values.astype(np.int64) >> (self.bits - 8), 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class RawPicture:
    """An image that Pillow cannot hold, in the layout of OpenCV's reader but RGB."""

    values: Num[np.ndarray, "h w c"]

    @property
    def size(self) -> tuple[int, int]:
        return self.values.shape[1], self.values.shape[0]


def is_deep(image: Image.Image | RawPicture) -> bool:
    """Whether an image that is open, but not decoded, has more than 8 bits."""
    if isinstance(image, RawPicture) or image.mode in ("F", "I") or image.mode.startswith("I;16"):
        return True
    return any(";16" in str(tile[3]) for tile in getattr(image, "tile", ()))


def deep_values(image: Image.Image | RawPicture, path: Path) -> Num[np.ndarray, "h w c"]:
    """All bits of a deep image: grey, RGB or RGBA.

    Raises:
        ClipError: It is broken.
    """
    if isinstance(image, RawPicture):
        return image.values
    if image.mode in ("F", "I") or image.mode.startswith("I;16"):
        return np.asarray(image)[..., None]
    raw = opened_by_opencv(path)
    if raw is None:
        raise ClipError(f"{path}: is broken or truncated; replace or remove it")
    return raw.values


def opened_by_opencv(path: Path) -> RawPicture | None:
    """Decode a file without touching its numbers; None where OpenCV cannot."""
    data = np.fromfile(path, np.uint8)
    array = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    if array is None:
        return None
    array = array[..., None] if array.ndim == 2 else array
    order = {3: [2, 1, 0], 4: [2, 1, 0, 3]}.get(array.shape[2], [0])
    return RawPicture(np.ascontiguousarray(array[..., order]))


class DepthSearch:
    """Looks at the numbers of one image after the other until it is certain what they count up to."""

    def __init__(self) -> None:
        self._largest, self._smallest, self._whole, self._count = 0.0, 0.0, True, 0

    def see(self, values: Num[np.ndarray, "h w c"]) -> bool:
        """Take notice of an image; True where no other could change the answer."""
        self._count += 1
        colours = values[..., :3] if values.shape[-1] == 4 else values
        if colours.dtype.kind == "f":
            finite = np.nan_to_num(colours, posinf=0, neginf=0)
            self._whole &= bool((finite == np.round(finite)).all())
            self._smallest = min(self._smallest, float(finite.min(initial=0)))
            self._largest = max(self._largest, float(finite.max(initial=0)))
            return False
        self._largest = max(self._largest, float(colours.max(initial=0)))
        return self._largest >= 1 << _KNOWN_BITS[-2]

    def depth(self, floating: bool, where: Path) -> tuple[Depth, str | None]:
        """What the numbers seen count up to, and a sentence on it where that had to be guessed.

        Raises:
            ClipError: They are floating point numbers that do not tell what white is.
        """
        if floating:
            return self._floating(where)
        bits = next((bits for bits in _KNOWN_BITS if self._largest < 1 << bits), _KNOWN_BITS[-1])
        if bits in (8, 16):
            return Depth(bits), None
        return Depth(bits), f"the 16-bit images hold numbers up to {self._largest:.0f} only: taken as {bits}-bit values"

    def _floating(self, where: Path) -> tuple[Depth, str | None]:
        held = f"{self._smallest:.3g} to {self._largest:.3g}"
        if self._smallest >= -_SLACK and self._largest <= 1 + _SLACK:
            return Depth(white=1.0), f"floating point images ({held}): 1 is taken as white, as a screen shows it"
        if self._smallest >= 0 and self._whole and self._largest < 1 << _KNOWN_BITS[-1]:
            bits = next(bits for bits in _KNOWN_BITS if self._largest < 1 << bits)
            return Depth(white=float((1 << bits) - 1)), f"floating point images ({held}): taken as {bits}-bit values"
        if self._smallest >= -_SLACK and 16 < self._largest <= 255 * (1 + _SLACK / 10):
            return Depth(white=255.0), f"floating point images ({held}): 255 is taken as white"
        raise ClipError(
            f"{where}: holds floating point numbers from {held}, which do not tell what is white; "
            "tone-map or scale it and save 8- or 16-bit images"
        )
