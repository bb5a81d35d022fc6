"""Cutting one plain view out of a picture that holds more."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from neoverse_ns.clip.view.choice import Direction, Half
from neoverse_ns.clip.view.layout import Sphere

# Width over height of a view cut from a sphere.
_ASPECT = 4 / 3


class Cut(ABC):
    """Turns whole pictures into the view that is used. Sizes are width and height in square pixels."""

    @abstractmethod
    def size(self, whole: tuple[int, int]) -> tuple[int, int]:
        """Size of the view of a picture of size `whole`."""

    @abstractmethod
    def least(self, needed: tuple[int, int], whole: tuple[int, int]) -> tuple[int, int]:
        """Size that a picture, `whole` in full, may be reduced to if the view shall not be smaller than `needed`."""

    @abstractmethod
    def apply(self, image: UInt8[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "vh vw c"]:
        """The view of a picture, which may have been reduced."""

    def focal(self, whole: tuple[int, int]) -> float | None:
        """Focal length of the view in pixels where cutting decides it."""
        return None


@dataclass(frozen=True)
class HalfCut(Cut):
    """One half of the picture.

    Attributes:
        half: Which one.
        squeezed: Both halves were squeezed to fit a picture of the usual shape; they are shown as wide, or high, as
            the whole is.
    """

    half: Half
    squeezed: bool

    @property
    def _beside(self) -> bool:
        return self.half in ("left", "right")

    def size(self, whole: tuple[int, int]) -> tuple[int, int]:
        if self.squeezed:
            return whole
        return (whole[0] // 2, whole[1]) if self._beside else (whole[0], whole[1] // 2)

    def least(self, needed: tuple[int, int], whole: tuple[int, int]) -> tuple[int, int]:
        size = self.size(whole)
        scale = min(max(needed[0] / size[0], needed[1] / size[1]), 1.0)
        return math.ceil(whole[0] * scale), math.ceil(whole[1] * scale)

    def apply(self, image: UInt8[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "vh vw c"]:
        h, w = image.shape[0] // 2, image.shape[1] // 2
        # An odd line in the middle belongs to neither half.
        if self._beside:
            return image[:, :w] if self.half == "left" else image[:, -w:]
        return image[:h] if self.half == "top" else image[-h:]


@dataclass(frozen=True)
class SphereCut(Cut):
    """A pinhole view from the middle of a sphere, as sharp as the picture is at its horizon.

    Attributes:
        sphere: What the picture covers; nothing is seen beyond.
        direction: Where the view looks.
        first: Cut that gives the picture of the sphere.
    """

    sphere: Sphere
    direction: Direction
    first: Cut | None = None

    def size(self, whole: tuple[int, int]) -> tuple[int, int]:
        focal = self.focal(whole)
        width = round(2 * focal * math.tan(math.radians(self.direction.fov) / 2))
        return max(width, 1), max(round(width / _ASPECT), 1)

    def focal(self, whole: tuple[int, int]) -> float:
        width = whole[0] if self.first is None else self.first.size(whole)[0]
        return width / math.radians(self.sphere.across)

    def least(self, needed: tuple[int, int], whole: tuple[int, int]) -> tuple[int, int]:
        size = self.size(whole)
        scale = min(max(needed[0] / size[0], needed[1] / size[1]), 1.0)
        return math.ceil(whole[0] * scale), math.ceil(whole[1] * scale)

    def apply(self, image: UInt8[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "vh vw c"]:
        whole = (image.shape[1], image.shape[0])
        size, focal = self.size(whole), self.focal(whole)
        picture = image if self.first is None else self.first.apply(image)
        u, v = self._places(size, focal, (picture.shape[1], picture.shape[0]))
        if self.sphere.whole:
            # The neighbour of the last column is the first one.
            picture = cv2.copyMakeBorder(picture, 0, 0, 2, 2, cv2.BORDER_WRAP)
            u += 2
        mode = cv2.BORDER_REPLICATE if self.sphere.whole else cv2.BORDER_CONSTANT
        return cv2.remap(picture, u, v, cv2.INTER_CUBIC, borderMode=mode)

    def _places(
        self, size: tuple[int, int], focal: float, picture: tuple[int, int]
    ) -> tuple[Float32[np.ndarray, "vh vw"], Float32[np.ndarray, "vh vw"]]:
        """Column and row in the picture of every pixel of the view; whole numbers are pixel centres."""
        x = (np.arange(size[0]) + 0.5 - size[0] / 2) / focal
        y = (np.arange(size[1])[:, None] + 0.5 - size[1] / 2) / focal
        yaw, pitch = math.radians(self.direction.yaw), math.radians(self.direction.pitch)
        # Nod first, then turn: y points down, z forward.
        up = math.sin(pitch) - y * math.cos(pitch)
        forward = math.cos(pitch) + y * math.sin(pitch)
        longitude = np.arctan2(x + 0 * forward, forward) + yaw
        latitude = np.arctan2(up, np.hypot(x, forward))
        s = self.sphere
        across = (longitude / (2 * math.pi) + 0.5) % 1.0
        down = 0.5 - latitude / math.pi + 0 * x
        u = (across - s.left) / (1 - s.left - s.right) * picture[0] - 0.5
        v = (down - s.top) / (1 - s.top - s.bottom) * picture[1] - 0.5
        return u.astype(np.float32), v.astype(np.float32)
