"""What surrounds a world: a room with its walls and lamp, or open ground with houses, hills and sky."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float64

from neoverse_ns.clip.synthetic.textures import Colour
from neoverse_ns.clip.synthetic.worlds.draw import Draw
from neoverse_ns.clip.synthetic.worlds.looks import FLOORS, GROUNDS, WALLS, calmer, grown, mottled, painted
from neoverse_ns.clip.synthetic.worlds.motions import placed
from neoverse_ns.clip.synthetic.worlds.surface import Surface
from neoverse_ns.clip.synthetic.worlds.things import house, tree
from neoverse_ns.clip.synthetic.worlds.world import Light, Part, Vector


def _at(x: float, y: float, z: float) -> Float64[np.ndarray, "3"]:
    return np.array([x, y, z])


def _white(draw: Draw, level: float, warmth: float) -> Colour:
    """Light of about one level; above zero is warm."""
    tint = draw.about(abs(warmth)) if warmth == 0 else warmth
    return (level * (1 + tint), level, level * (1 - tint))


def _large(draw: Draw, makers: Sequence[Callable[[Draw], Surface]]) -> Surface:
    return calmer(draw.one_of(makers)(draw), draw.between(0.2, 0.8))


def room(
    draw: Draw, path: Float64[np.ndarray, "t 3"], floor: float, reach: float
) -> tuple[list[Part], Light, tuple[Vector, Vector]]:
    """Walls around the camera's path.

    Args:
        draw: Of everything.
        path: Places of the camera.
        floor: y of the ground.
        reach: How far the middle of the scene is away.

    Returns:
        Parts, light, and the corners between which things may stand.
    """
    (left, top, near), (right, _, far) = path.min(0).tolist(), path.max(0).tolist()
    left, right = left - draw.between(1.2, 3.0), right + draw.between(1.2, 3.0)
    near, far = near - draw.between(0.8, 2.0), far + reach * draw.between(1.0, 1.7)
    height = max(draw.between(2.5, 3.8), floor - top + 0.6)
    x, z = (left + right) / 2, (near + far) / 2
    # The walls reach below the floor: two surfaces in one place would show through each other in specks.
    middle = _at(x, floor - (height - 0.5) / 2, z)
    half = ((right - left) / 2, (height + 0.5) / 2, (far - near) / 2)
    ceiling = calmer(painted(draw), 0.8)
    parts = [
        Part("box", half, _large(draw, WALLS), placed(middle), inside=True),
        Part("plane", (1.0, 1.0, 1.0), _large(draw, FLOORS), placed(_at(0.0, floor, 0.0))),
        Part("box", (half[0], 0.1, half[2]), ceiling, placed(_at(x, floor - height + 0.02, z))),
    ]
    for _ in range(draw.count(0, 3)):
        picture = (draw.between(0.25, 0.8), draw.between(0.2, 0.5), 0.03)
        place = _at(x + draw.about(0.7 * half[0]), floor - draw.between(1.2, max(1.25, height - 0.7)), far - 0.03)
        parts.append(Part("box", picture, mottled(draw, 0.4), placed(place)))
    place = (x + draw.about(half[0] * 0.5), floor - height + 0.5, z + draw.about(half[2] * 0.5))
    light = Light(
        place,
        _white(draw, draw.between(0.5, 1.1), draw.between(-0.05, 0.16)),
        _white(draw, draw.between(0.45, 0.75), draw.about(0.06)),
        draw.between(0.0, 0.3),
        draw.between(3.0, 7.0) * max(1.0, reach / 5),
    )
    return parts, light, ((left + 0.1, 0.0, near + 0.1), (right - 0.1, 0.0, far - 0.15))


def outdoors(
    draw: Draw, path: Float64[np.ndarray, "t 3"], floor: float, reach: float
) -> tuple[list[Part], Light, tuple[Vector, Vector]]:
    """Open ground, as :func:`room`; what is behind everything is a far hillside, or in some a sky without depth."""
    middle = path.mean(0).tolist()
    parts = [Part("plane", (1.0, 1.0, 1.0), _large(draw, GROUNDS), placed(_at(0.0, floor, 0.0)))]
    sky, size = draw.chance(0.4), reach * draw.between(3.0, 6.0)
    dome = _sky(draw, size) if sky else _hillside(draw, size)
    parts.append(
        Part("ellipsoid", (size, size, size), dome, placed(_at(middle[0], floor, middle[2])), inside=True, sky=sky)
    )
    for _ in range(draw.count(1, 4)):
        distance, side = reach * draw.between(1.5, 2.4), draw.about(0.75)
        base = placed(
            _at(middle[0] + distance * math.sin(side), floor, middle[2] + distance * math.cos(side)), draw.about(0.8)
        )
        parts += draw.one_of((house, house, tree))(draw).parts(base)
    if draw.chance(0.5):
        hill = (size * draw.between(0.3, 0.8), size * draw.between(0.08, 0.25), size * draw.between(0.1, 0.2))
        place = _at(middle[0] + draw.about(0.5) * size, floor, middle[2] + 0.75 * size)
        parts.append(Part("ellipsoid", hill, grown(draw, 2.0), placed(place)))
    elevation, turn = draw.between(0.5, 1.35), draw.between(0.0, 2 * math.pi)
    level = math.cos(elevation)
    sun = (1e4 * level * math.cos(turn), -1e4 * math.sin(elevation), 1e4 * level * math.sin(turn))
    light = Light(
        sun,
        _white(draw, draw.between(0.2, 0.65), draw.between(-0.02, 0.15)),
        _white(draw, draw.between(0.5, 0.75), draw.between(-0.12, 0.04)),
        draw.between(0.0, 0.3),
        1e9,
    )
    wide = 1.4 * reach
    return parts, light, ((middle[0] - wide, 0.0, middle[2] - wide), (middle[0] + wide, 0.0, middle[2] + wide))


def _sky(draw: Draw, size: float) -> Surface:
    """Clouds on blue, grey or evening."""
    blue = draw.one_of(((0.35, 0.55, 0.85), (0.6, 0.68, 0.78), (0.5, 0.4, 0.55), (0.2, 0.4, 0.75)))
    offset = draw.between(0.0, 32.0)
    return Surface(blue, (0.97, 0.95, 0.92), 6.0 / size, draw.between(0.5, 1.5), (offset, 0.0, offset))


def _hillside(draw: Draw, size: float) -> Surface:
    base = draw.one_of((grown, mottled))(draw)
    pale = tuple(0.35 * a + 0.65 * b for a, b in zip(base.dark, (0.72, 0.78, 0.85), strict=True))
    return Surface((pale[0], pale[1], pale[2]), base.light, 10.0 / size, base.contrast, base.offset)
