"""The world of the camera battery: a lane between houses, and a street that leaves it to the right.

Axes are the first camera's: x right, y down, z along the lane; eyes are at y = 0, the ground at y = GROUND. The street
runs along x between z = 6.5 and z = 14.
"""

from __future__ import annotations

import math

import torch

from neoverse_ns.clip.synthetic.solids import Motion, Shape, Solid, Vector, fixed, rigid
from neoverse_ns.clip.synthetic.textures import Colour, Texture

GROUND = 1.5
"""Height of the eyes above the ground, in scene units."""

HOUSES: tuple[tuple[Vector, Vector, float], ...] = (
    # Half extents, middle, and turn about the vertical in degrees.
    ((0.4, 2.3, 3.4), (-4.4, -0.8, 0.6), 2.0),
    ((0.4, 1.7, 2.6), (-3.7, -0.2, 7.2), -3.0),
    ((0.4, 2.6, 3.8), (-4.8, -1.1, 14.2), 1.0),
    ((0.4, 2.0, 4.6), (4.1, -0.5, 1.4), -1.5),
    ((8.5, 2.4, 0.4), (13.0, -0.9, 6.3), 0.5),
    ((8.0, 1.9, 0.4), (12.6, -0.4, 14.3), -2.0),
    ((5.2, 2.8, 0.4), (-0.6, -1.3, 17.5), 2.5),
    ((0.4, 2.2, 4.6), (22.5, -0.7, 10.2), 0.0),
)

KIOSK: Vector = (0.1, 0.55, 5.2)
"""Where the thing stands that the orbits look at."""

KERBS: tuple[tuple[str, float, float, float], ...] = (
    # What runs along which line: axis of the line, its other coordinate, and where it begins and ends.
    ("z", -2.3, 1.2, 15.5),
    ("z", 2.2, 1.8, 6.0),
    ("x", 7.6, 4.5, 20.0),
    ("x", 12.6, 2.0, 20.0),
)

SPACING = 1.9
"""Mean distance of the things along a kerb, in scene units."""


def lane(mover: bool = False) -> list[Solid]:
    """The static solids, and with `mover` a board that is carried past the walking camera, up to half its picture."""
    random = torch.Generator().manual_seed(11)
    solids = [
        _solid(random, "sphere", (70.0, 70.0, 70.0), fixed((0.0, 0.0, 0.0)), 0.08, 0.0),
        _solid(random, "box", (90.0, 0.5, 90.0), fixed((0.0, GROUND + 0.5, 0.0)), 0.8, 0.7),
    ]
    for half, middle, turn in HOUSES:
        solids.append(_solid(random, "box", half, fixed(middle, math.radians(turn)), 1.3, 1.3))
    solids.append(_solid(random, "box", (0.5, 0.95, 0.45), fixed(KIOSK, 0.6), 1.7, 2.2))
    for kerb in KERBS:
        solids += _things_along(random, *kerb)
    if mover:
        solids.append(_solid(random, "box", (0.55, 1.0, 0.12), _carried, 2.2, 2.6, thing=1))
    return solids


def _things_along(random: torch.Generator, axis: str, beside: float, begin: float, end: float) -> list[Solid]:
    """Crates, posts and balls on the ground, in a row with gaps."""
    solids: list[Solid] = []
    for number in range(int((end - begin) / SPACING)):
        shift, aside, size, turn = torch.rand(4, generator=random).tolist()
        along, across = begin + SPACING * (number + 0.6 * shift), beside + 0.9 * (aside - 0.5)
        x, z = (along, across) if axis == "x" else (across, along)
        shape: Shape = "sphere" if number % 3 == 2 else "box"
        wide = 0.2 + 0.25 * size
        tall = wide if shape == "sphere" else wide * (2.8 if number % 3 else 0.9)
        pose = fixed((x, GROUND - tall, z), 3 * turn)
        solids.append(_solid(random, shape, (wide, tall, wide), pose, 1.9, 2.4 if shape == "box" else 0.0))
    return solids


def _solid(
    random: torch.Generator,
    shape: Shape,
    half: Vector,
    pose: Motion,
    frequency: float,
    cells: float,
    thing: int = 0,
) -> Solid:
    """A solid whose colours and texture are drawn."""
    dark = 0.08 + 0.3 * torch.rand(3, generator=random)
    light = 0.6 + 0.38 * torch.rand(3, generator=random)
    offset = 31 * torch.rand(3, generator=random)
    texture = Texture(_triple(dark), _triple(light), frequency, cells=cells, offset=_triple(offset))
    return Solid(shape, half, texture, pose, thing)


def _triple(values: torch.Tensor) -> Colour:
    x, y, z = values.tolist()
    return (x, y, z)


def _carried(time: float) -> torch.Tensor:
    """From left to right, two units before a camera that walks from z = -1 to z = 2."""
    return rigid((-1.6 + 2.8 * time, 0.25, 1.2 + 2.7 * time), yaw=0.25 - 0.5 * time)
