"""What stands and moves in worlds: a few solids each, built around a place on the ground."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from neoverse_ns.clip.synthetic.worlds.draw import Draw
from neoverse_ns.clip.synthetic.worlds.looks import grown, planks, surface_of, windows
from neoverse_ns.clip.synthetic.worlds.motions import SIDE_AXIS, Angle, Swung, attached, sine
from neoverse_ns.clip.synthetic.worlds.shapes import Shape
from neoverse_ns.clip.synthetic.worlds.surface import Surface
from neoverse_ns.clip.synthetic.worlds.world import Motion, Part, Vector


@dataclass(frozen=True)
class Solid:
    """A part of a thing, in the thing's frame: its middle is at `place`, y is down, and y = 0 lies on the ground.

    Attributes:
        shape: Of the part.
        half: Half extents.
        place: Of its middle.
        surface: What covers it.
        yaw: Turn about the vertical.
        swing: Turn about the thing's x axis around a point `above` the part's middle.
        above: How far that point lies above.
    """

    shape: Shape
    half: Vector
    place: Vector
    surface: Surface
    yaw: float = 0.0
    swing: Angle | None = None
    above: float = 0.0

    def part(self, base: Motion, number: int) -> Part:
        place = np.array(self.place)
        if self.swing is None:
            return Part(self.shape, self.half, self.surface, attached(base, place, self.yaw), number)
        up = np.array([0.0, self.above, 0.0])
        return Part(self.shape, self.half, self.surface, Swung(base, place - up, up, SIDE_AXIS, self.swing), number)


@dataclass(frozen=True)
class Thing:
    """Some solids that go together.

    Attributes:
        solids: Around the thing's own origin.
        radius: Of an upright cylinder around the origin that holds them all.
        height: From the origin up to its top.
    """

    solids: tuple[Solid, ...]
    radius: float
    height: float

    def parts(self, base: Motion, number: int = 0) -> list[Part]:
        return [solid.part(base, number) for solid in self.solids]


def thing_of(solids: list[Solid]) -> Thing:
    radius = max(math.hypot(s.place[0], s.place[2]) + math.hypot(s.half[0], s.half[2]) for s in solids)
    return Thing(tuple(solids), radius, max(s.half[1] - s.place[1] for s in solids))


def crate(draw: Draw) -> Thing:
    half = (draw.between(0.18, 0.6), draw.between(0.18, 0.8), draw.between(0.18, 0.6))
    solids = [Solid("box", half, (0.0, -half[1], 0.0), surface_of(draw, max(half)))]
    if draw.chance(0.35):
        top = (half[0] * 0.7, draw.between(0.1, 0.35), half[2] * 0.7)
        solids.append(Solid("box", top, (0.0, -2 * half[1] - top[1], 0.0), surface_of(draw, max(top)), draw.about(0.7)))
    return thing_of(solids)


def ball(draw: Draw) -> Thing:
    radius = draw.between(0.22, 0.6)
    return thing_of([Solid("ellipsoid", (radius, radius, radius), (0.0, -radius, 0.0), surface_of(draw, radius))])


def boulder(draw: Draw) -> Thing:
    half = (draw.between(0.3, 0.9), draw.between(0.2, 0.6), draw.between(0.3, 0.9))
    return thing_of([Solid("ellipsoid", half, (0.0, -0.6 * half[1], 0.0), surface_of(draw, 0.8))])


def drum(draw: Draw) -> Thing:
    radius, half = draw.between(0.15, 0.45), draw.between(0.2, 0.8)
    return thing_of([Solid("cylinder", (radius, half, radius), (0.0, -half, 0.0), surface_of(draw, radius))])


def pillar(draw: Draw) -> Thing:
    half = draw.between(1.0, 1.8)
    size, shape = draw.between(0.12, 0.35), draw.one_of(("box", "cylinder"))
    return thing_of([Solid(shape, (size, half, size), (0.0, -half, 0.0), surface_of(draw, 0.6))])


def table(draw: Draw) -> Thing:
    x, z, top = draw.between(0.4, 0.9), draw.between(0.35, 0.6), draw.between(0.35, 0.5)
    wood = planks(draw, 0.7)
    solids = [Solid("box", (x, 0.04, z), (0.0, -2 * top - 0.04, 0.0), wood)]
    for a in (-1, 1):
        solids += [Solid("box", (0.04, top, 0.04), (a * (x - 0.06), -top, b * (z - 0.06)), wood) for b in (-1, 1)]
    size = draw.between(0.1, 0.22)
    upon: Shape = draw.one_of(("ellipsoid", "cylinder", "box"))
    place = (draw.about(x - size), -2 * top - 0.08 - size, draw.about(z - size))
    return thing_of([*solids, Solid(upon, (size, size, size), place, surface_of(draw, size))])


def chair(draw: Draw) -> Thing:
    half, seat = draw.between(0.2, 0.3), draw.between(0.2, 0.27)
    cover = surface_of(draw, 0.4)
    solids = [Solid("box", (half, 0.05, half), (0.0, -2 * seat - 0.05, 0.0), cover)]
    solids.append(Solid("box", (half, draw.between(0.22, 0.4), 0.04), (0.0, -2 * seat - 0.35, half - 0.04), cover))
    legs = [(a * (half - 0.05), -seat, b * (half - 0.05)) for a in (-1, 1) for b in (-1, 1)]
    return thing_of([*solids, *(Solid("cylinder", (0.035, seat, 0.035), leg, cover) for leg in legs)])


def shelf(draw: Draw) -> Thing:
    x, half = draw.between(0.4, 0.8), draw.between(0.6, 1.0)
    body = Solid("box", (x, half, 0.18), (0.0, -half, 0.1), planks(draw, 0.7))
    rows = [
        Solid("box", (x * 0.8, half / 6, 0.1), (draw.about(0.1), -half * h, -0.12), surface_of(draw, 0.3))
        for h in (0.5, 1.0, 1.5)
    ]
    return thing_of([body, *rows])


def tree(draw: Draw) -> Thing:
    trunk, radius = draw.between(0.5, 1.2), draw.between(0.06, 0.16)
    solids = [Solid("cylinder", (radius, trunk, radius), (0.0, -trunk, 0.0), planks(draw, 0.5))]
    leaves = grown(draw, 0.6)
    for _ in range(draw.count(1, 3)):
        half = (draw.between(0.4, 0.8), draw.between(0.35, 0.9), draw.between(0.4, 0.8))
        solids.append(
            Solid("ellipsoid", half, (draw.about(0.3), -2 * trunk - draw.between(-0.2, 0.6), draw.about(0.3)), leaves)
        )
    return thing_of(solids)


def bush(draw: Draw) -> Thing:
    leaves = grown(draw, 0.5)
    half = (draw.between(0.35, 0.8), draw.between(0.3, 0.6), draw.between(0.35, 0.8))
    return thing_of([Solid("ellipsoid", half, (0.0, -0.8 * half[1], 0.0), leaves)])


def house(draw: Draw) -> Thing:
    half = (draw.between(1.0, 3.0), draw.between(1.2, 4.0), draw.between(1.0, 2.5))
    return thing_of([Solid("box", half, (0.0, -half[1], 0.0), windows(draw))])


def car(draw: Draw) -> Thing:
    """Its z axis points ahead."""
    x, y, z = draw.between(0.3, 0.45), draw.between(0.13, 0.22), draw.between(0.6, 0.95)
    wheel = draw.between(0.12, 0.18)
    paint, tyre = surface_of(draw, 0.5), surface_of(draw, 0.3)
    solids = [
        Solid("box", (x, y, z), (0.0, -wheel - y, 0.0), paint),
        Solid("box", (0.85 * x, y, 0.55 * z), (0.0, -wheel - 3 * y, -0.15 * z), surface_of(draw, 0.4)),
    ]
    for a in (-1, 1):
        solids += [Solid("ellipsoid", (0.07, wheel, wheel), (a * x, -wheel, b * 0.6 * z), tyre) for b in (-1, 1)]
    return thing_of(solids)


def walker(draw: Draw) -> Thing:
    """Two legs, two arms, a body, a head; its z axis points ahead."""
    leg, body, wide = draw.between(0.3, 0.42), draw.between(0.25, 0.35), draw.between(0.14, 0.22)
    trousers, shirt, skin = surface_of(draw, 0.4), surface_of(draw, 0.4), surface_of(draw, 0.3)
    stride, rate, phase = draw.between(0.2, 0.55), draw.between(1.5, 4.0), draw.between(0.0, 1.0)
    solids = [
        Solid("ellipsoid", (wide, body * 1.15, wide * 0.7), (0.0, -2 * leg - body, 0.0), shirt),
        Solid("ellipsoid", (0.12, 0.15, 0.13), (0.0, -2 * leg - 2 * body - 0.16, 0.0), skin),
    ]
    for side, half in ((-1, 0.0), (1, 0.5)):
        swing, arm = sine(stride, rate, phase + half), sine(stride, rate, phase + half + 0.5)
        solids.append(Solid("cylinder", (0.07, leg, 0.07), (side * 0.55 * wide, -leg, 0.0), trousers, 0.0, swing, leg))
        place = (side * (wide + 0.06), -2 * leg - 1.2 * body, 0.0)
        solids.append(Solid("cylinder", (0.05, 0.8 * body, 0.05), place, shirt, 0.0, arm, 0.8 * body))
    return thing_of(solids)


Maker = Callable[[Draw], Thing]
INDOORS: tuple[Maker, ...] = (crate, crate, ball, drum, pillar, table, table, chair, chair, shelf)
OUTDOORS: tuple[Maker, ...] = (crate, boulder, drum, pillar, tree, tree, bush, bush, ball, table)
