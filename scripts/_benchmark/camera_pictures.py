"""What lies on the battery's pictures and is no part of the world, and what else happens to them.

Each function takes a frame (RGB) and its number, and gives the frame as it was recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

Image = UInt8[np.ndarray, "h w 3"]
Picture = Callable[[Image, int], Image]
Where = Callable[[Float[np.ndarray, "h w"], Float[np.ndarray, "h w"]], Bool[np.ndarray, "h w"]]
"""Which pixels: of places right of and below the middle, in widths of the picture."""

SHARP = 0.17
"""Half width of the upright picture between bars, in widths of the whole."""


@dataclass(frozen=True)
class Covered:
    """Something that lies before the same pixels all the time.

    Attributes:
        where: Which these are.
        look: What is seen there instead, as a whole picture.
    """

    where: Where
    look: Callable[[Image], Image]

    def __call__(self, image: Image, _number: int) -> Image:
        height, width = image.shape[:2]
        y, x = (np.indices((height, width)) + 0.5 - np.reshape([height / 2, width / 2], (2, 1, 1))) / width
        return np.where(self.where(x, y)[..., None], self.look(image), image)


def as_recorded(image: Image, _number: int) -> Image:
    """The frame itself."""
    return image


def grain(seed: int) -> Callable[[Image], Image]:
    """A texture of coarse and fine spots."""

    def look(image: Image) -> Image:
        height, width = image.shape[:2]
        random, total = np.random.default_rng(seed), np.full((height, width, 3), 90.0)
        for cell, strength in ((24, 45.0), (5, 25.0)):
            spots = random.uniform(-strength, strength, (height // cell + 2, width // cell + 2, 3))
            total += cv2.resize(spots, (width, height), interpolation=cv2.INTER_CUBIC)
        return total.clip(0, 255).astype(np.uint8)

    return look


def plain(level: int) -> Callable[[Image], Image]:
    """One grey everywhere."""
    return lambda image: np.full_like(image, level)


def _on_bonnet(x: Float[np.ndarray, "h w"], y: Float[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """The lower quarter, higher in the middle: a car's front as its windscreen camera sees it."""
    return y > 0.14 + 0.22 * x**2


BONNET = Covered(_on_bonnet, grain(21))
PLAIN_BONNET = Covered(_on_bonnet, plain(38))
LOGO = Covered(lambda x, y: (np.abs(x - 0.37) < 0.085) & (np.abs(y + 0.2) < 0.045), grain(22))
LETTERBOX = Covered(lambda _x, y: np.abs(y) > 0.2, plain(0))
PILLARBOX = Covered(lambda x, _y: np.abs(x) > SHARP, plain(0))
ROUND = Covered(lambda x, y: np.hypot(x, y) > 0.28, plain(0))


def blurred_sides(image: Image, _number: int) -> Image:
    """An upright picture before an enlarged, blurred copy of itself."""
    height, width = image.shape[:2]
    reach = round(SHARP * width)
    sharp = slice(width // 2 - reach, width // 2 + reach)
    upright = image[:, sharp]
    enlarged = cv2.resize(upright, (width, height * width // (2 * reach)), interpolation=cv2.INTER_LINEAR)
    top = (len(enlarged) - height) // 2
    whole = cv2.GaussianBlur(enlarged[top : top + height], (0, 0), 0.022 * width)
    whole[:, sharp] = upright
    return whole


def timer(image: Image, number: int) -> Image:
    """A white plate with running digits in the upper right corner."""
    picture, (height, width) = image.copy(), image.shape[:2]
    left, top = round(0.64 * width), round(0.05 * height)
    cv2.rectangle(picture, (left, top), (round(0.97 * width), round(0.19 * height)), (240, 240, 240), cv2.FILLED)
    seconds = divmod(1250 + 125 * number, 1000)
    place, size = (left + 6, round(0.155 * height)), 0.8 * width / 384
    cv2.putText(picture, f"{seconds[0]:02d}.{seconds[1]:03d}", place, cv2.FONT_HERSHEY_PLAIN, 2 * size, (0, 0, 0), 2)
    return picture


def exposure_ramp(image: Image, number: int) -> Image:
    """Ever brighter, by 8 % from frame to frame: from 0.6 on."""
    return (image * (0.6 * 1.08**number)).clip(0, 255).astype(np.uint8)


def black_at(*numbers: int) -> Picture:
    """Nothing at all in some frames."""
    return lambda image, number: np.zeros_like(image) if number in numbers else image
