"""Text on pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

INK = (40, 40, 40)
_HALO = 2


@dataclass(frozen=True)
class Words:
    """A line of text.

    Attributes:
        x: Its left end, pixels.
        y: Its top, pixels.
        text: What it says.
        size: Of the letters, pixels.
        colour: RGB.
        right: Whether x is its right end.
    """

    x: int
    y: int
    text: str
    size: int
    colour: tuple[int, int, int] = INK
    right: bool = False


def written(page: UInt8[np.ndarray, "h w 3"], words: Sequence[Words]) -> UInt8[np.ndarray, "h w 3"]:
    """A picture with text on it, with a white rim, so that it is read over anything."""
    image = Image.fromarray(page)
    pen = ImageDraw.Draw(image)
    for line in words:
        anchor = "ra" if line.right else "la"
        rim = {"stroke_width": _HALO, "stroke_fill": (255, 255, 255)}
        pen.text((line.x, line.y), line.text, fill=line.colour, font=_font(line.size), anchor=anchor, **rim)
    return np.asarray(image)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    try:
        return ImageFont.load_default(size)
    except TypeError:  # Pillow before 10.1 has one size.
        return ImageFont.load_default()
