"""Random surfaces that look like something: bricks, planks, tiles, cloth, stone, grass, painted things."""

from __future__ import annotations

import colorsys
from dataclasses import replace

from neoverse_ns.clip.synthetic.textures import Colour
from neoverse_ns.clip.synthetic.worlds.draw import Draw
from neoverse_ns.clip.synthetic.worlds.surface import Surface


def bricks(draw: Draw, size: float = 1.0) -> Surface:
    """Running bond, about three times as wide as high; `size` scales whatever is drawn."""
    rows = draw.between(1.6, 3.2) / size
    return _covered(draw, (rows / draw.between(1.8, 3.2), rows, rows / 2.5), bond=0.5, seam=draw.between(0.45, 0.75))


def tiles(draw: Draw, size: float = 1.0) -> Surface:
    n = draw.between(0.9, 2.4) / size
    return _covered(draw, (n, n, n), seam=draw.between(0.5, 0.8), tone=draw.between(0.2, 0.9))


def planks(draw: Draw, size: float = 1.0) -> Surface:
    n = draw.between(1.5, 4.0) / size
    cells = draw.one_of([(n, 0.0, n / 6), (n / 6, 0.0, n), (0.0, n, 0.0), (n, 0.0, 0.0)])
    return _covered(draw, cells, seam=draw.between(0.5, 0.8), hue=draw.between(0.04, 0.12))


def stripes(draw: Draw, size: float = 1.0) -> Surface:
    n = draw.between(2.0, 5.0) / size
    cells = draw.one_of([(n, 0.0, 0.0), (0.0, n, 0.0), (0.0, 0.0, n), (n, 0.0, n)])
    return _covered(draw, cells, tone=draw.between(0.9, 2.5), contrast=draw.between(0.3, 0.9))


def windows(draw: Draw, size: float = 1.0) -> Surface:
    """Of a house: rows of cells with strong tones."""
    n = draw.between(0.7, 1.6) / size
    return _covered(draw, (n, n * draw.between(0.7, 1.2), n), tone=draw.between(0.8, 2.0), seam=draw.between(0.5, 0.8))


def grown(draw: Draw, size: float = 1.0) -> Surface:
    """Grass and leaves."""
    return _noise(draw, draw.between(1.2, 3.0) / size, draw.between(0.2, 0.36), draw.between(0.35, 0.75))


def ground(draw: Draw, size: float = 1.0) -> Surface:
    """Earth, gravel, asphalt."""
    return _noise(draw, draw.between(0.6, 1.6) / size, draw.between(0.05, 0.15), draw.between(0.05, 0.4))


def mottled(draw: Draw, size: float = 1.0) -> Surface:
    """Marble, camouflage, anything with patches."""
    return _noise(draw, draw.between(1.2, 3.2) / size, draw.between(0.0, 1.0), draw.between(0.2, 0.9))


def painted(draw: Draw, size: float = 1.0) -> Surface:
    """Nearly plain."""
    base = mottled(draw, size)
    return Surface(base.dark, base.light, base.frequency, contrast=draw.between(0.25, 0.6), offset=base.offset)


def calmer(surface: Surface, share: float) -> Surface:
    """With that share of the colours' own grey: what is large is seldom of one strong colour."""
    return replace(surface, dark=_calm(surface.dark, share), light=_calm(surface.light, share))


def _calm(colour: Colour, share: float) -> Colour:
    grey = 0.3 * colour[0] + 0.55 * colour[1] + 0.15 * colour[2]
    red, green, blue = (value + share * (grey - value) for value in colour)
    return (red, green, blue)


WALLS = (bricks, tiles, planks, stripes, mottled, painted)
FLOORS = (tiles, planks, mottled, ground)
GROUNDS = (grown, ground, ground, tiles, mottled)
THINGS = (tiles, stripes, mottled, mottled, bricks, painted, planks)


def surface_of(draw: Draw, size: float) -> Surface:
    """Any that suits a thing of about that size."""
    return draw.one_of(THINGS)(draw, min(max(size, 0.25), 2.0))


def _colours(draw: Draw, hue: float, saturation: float) -> tuple[Colour, Colour]:
    other = hue + draw.about(0.12) if draw.chance(0.7) else draw.between(0.0, 1.0)
    dark = colorsys.hsv_to_rgb(hue % 1, saturation, draw.between(0.12, 0.42))
    light = colorsys.hsv_to_rgb(other % 1, saturation * draw.between(0.3, 1.0), draw.between(0.68, 1.0))
    return dark, light


def _noise(draw: Draw, frequency: float, hue: float, saturation: float) -> Surface:
    dark, light = _colours(draw, hue, saturation)
    offset = tuple(draw.between(0.0, 32.0) for _ in range(3))
    return Surface(dark, light, frequency, draw.between(0.8, 1.6), (offset[0], offset[1], offset[2]))


def _covered(
    draw: Draw,
    cells: tuple[float, float, float],
    bond: float = 0.0,
    seam: float = 1.0,
    tone: float | None = None,
    contrast: float | None = None,
    hue: float | None = None,
) -> Surface:
    frequency = min(max(0.8 * max(cells), 0.8), 6.0)
    base = _noise(draw, frequency, draw.between(0.0, 1.0) if hue is None else hue, draw.between(0.1, 0.85))
    return Surface(
        base.dark,
        base.light,
        base.frequency,
        draw.between(0.5, 1.2) if contrast is None else contrast,
        base.offset,
        cells,
        draw.between(0.15, 0.6) if tone is None else tone,
        seam,
        bond,
    )
