"""What moves: rolls, slides, drives, walks, is thrown, bounces, tumbles."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from neoverse_ns.clip.synthetic.worlds.draw import Draw
from neoverse_ns.clip.synthetic.worlds.looks import surface_of
from neoverse_ns.clip.synthetic.worlds.motions import (
    UP_AXIS,
    Point,
    Route,
    Spinning,
    eased,
    heading,
    rolling,
    steady,
    stop_and_go,
    turning,
)
from neoverse_ns.clip.synthetic.worlds.things import Solid, Thing, car, crate, thing_of, walker
from neoverse_ns.clip.synthetic.worlds.world import Motion, Times


@dataclass(frozen=True)
class Mover:
    """A thing on its way.

    Attributes:
        thing: Around an origin that follows `motion`.
        motion: Of the origin.
        radius: Of a sphere around the origin's place, `middle` above it, that holds the thing at all times.
        middle: Height of the sphere's middle over the origin.
    """

    thing: Thing
    motion: Motion
    radius: float
    middle: float

    def middles(self, times: Times) -> Float64[np.ndarray, "t 3"]:
        """Of that sphere."""
        return self.motion(times)[:, :3, 3] - np.array([0.0, self.middle, 0.0])


def route_between(draw: Draw, start: Point, end: Point, straight: bool = False) -> Route:
    """From start to end, straight or in an arc, at one pace, eased, or with a stop."""
    way = end - start
    aside = np.array([way[2], 0.0, -way[0]]) * (0.0 if straight or draw.chance(0.4) else draw.about(0.9))
    stop = draw.between(0.25, 0.45)
    pace = draw.one_of((steady, steady, eased, stop_and_go(stop, stop + draw.between(0.1, 0.35))))
    return Route(start, (start + end) / 2 + aside, end, pace)


def _upright(thing: Thing, motion: Motion) -> Mover:
    return Mover(thing, motion, math.hypot(thing.radius, thing.height / 2), thing.height / 2)


def roller(draw: Draw, start: Point, end: Point) -> Mover:
    """A ball, or a drum on its side would be one too: it turns as it goes."""
    radius = draw.between(0.22, 0.6)
    lift = np.array([0.0, -radius, 0.0])
    thing = thing_of([Solid("ellipsoid", (radius, radius, radius), (0.0, 0.0, 0.0), surface_of(draw, radius))])
    return Mover(thing, rolling(route_between(draw, start + lift, end + lift, straight=True), radius), radius, 0.0)


def slider(draw: Draw, start: Point, end: Point) -> Mover:
    """A crate that slides and turns about the vertical."""
    angle = turning(draw.about(2.5), draw.between(0.0, 6.28))
    return _upright(crate(draw), Spinning(route_between(draw, start, end), UP_AXIS, angle))


def driver(draw: Draw, start: Point, end: Point) -> Mover:
    return _upright(car(draw), heading(route_between(draw, start, end)))


def stroller(draw: Draw, start: Point, end: Point) -> Mover:
    return _upright(walker(draw), heading(route_between(draw, start, end)))


def thrown(draw: Draw, start: Point, end: Point) -> Mover:
    """Up and down once, or bouncing, turning about any axis."""
    thing, radius = _tumbler(draw, 0.18, 0.45)
    lift = np.array([0.0, -radius, 0.0])
    bounces = draw.one_of((1.0, 1.0, draw.between(1.5, 3.0)))
    rise = draw.between(0.5, 1.5) / bounces
    angle = turning(draw.about(4.0), draw.between(0.0, 6.28))
    motion = Spinning(route_between(draw, start + lift, end + lift, True), draw.direction(), angle, rise, bounces)
    return Mover(thing, motion, radius, 0.0)


def floater(draw: Draw, start: Point, end: Point) -> Mover:
    """Hovers along a bent way above the ground, turning."""
    thing, radius = _tumbler(draw, 0.2, 0.6)
    low, high = draw.between(0.3, 1.8), draw.between(0.3, 1.8)
    route = route_between(draw, start - np.array([0, low + radius, 0]), end - np.array([0, high + radius, 0]))
    angle = turning(draw.about(3.0), draw.between(0.0, 6.28))
    return Mover(thing, Spinning(route, draw.direction(), angle), radius, 0.0)


def _tumbler(draw: Draw, low: float, high: float) -> tuple[Thing, float]:
    half = (draw.between(low, high), draw.between(low, high), draw.between(low, high))
    shape = draw.one_of(("box", "box", "ellipsoid", "cylinder"))
    return thing_of([Solid(shape, half, (0.0, 0.0, 0.0), surface_of(draw, max(half)))]), math.hypot(*half)


MOVERS: tuple[Callable[[Draw, Point, Point], Mover], ...] = (
    roller,
    slider,
    driver,
    stroller,
    stroller,
    thrown,
    floater,
)
