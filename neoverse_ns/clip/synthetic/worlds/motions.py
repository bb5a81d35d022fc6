"""Rigid motions as functions of time: how far along its way a thing is, where that is, and how it turns there."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from neoverse_ns.clip.synthetic.worlds.world import Motion, Poses, Times

Angle = Callable[[Times], Float64[np.ndarray, " t"]]
"""Radians at any times."""
Point = Float64[np.ndarray, "3"]


IDENTITY = np.eye(3)


def turned(axis: Point, angle: Float64[np.ndarray, " t"]) -> Float64[np.ndarray, "t 3 3"]:
    """Rotations about a unit axis (Rodrigues)."""
    x, y, z = axis
    skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    sin, cos = np.sin(angle)[:, None, None], np.cos(angle)[:, None, None]
    return IDENTITY + sin * skew + (1 - cos) * (skew @ skew)


def assembled(rotation: Float64[np.ndarray, "t 3 3"], position: Float64[np.ndarray, "t 3"]) -> Poses:
    poses = np.zeros((len(position), 4, 4))
    poses[:, :3, :3], poses[:, :3, 3], poses[:, 3, 3] = rotation, position, 1
    return poses


UP_AXIS = np.array([0.0, 1.0, 0.0])
SIDE_AXIS = np.array([1.0, 0.0, 0.0])


def placed(position: Point, yaw: float = 0.0) -> Motion:
    """Standing still, turned by `yaw` about the vertical."""
    pose = assembled(turned(UP_AXIS, np.array([yaw])), position[None])
    return lambda times: np.broadcast_to(pose, (len(times), 4, 4))


def attached(base: Motion, local: Point, yaw: float = 0.0) -> Motion:
    """A part at a place of a thing, and turned in it."""
    inner = assembled(turned(UP_AXIS, np.array([yaw])), local[None])[0]
    return lambda times: base(times) @ inner


# Classes where a function within a function would do: where types are checked at run time, those are made anew, and
# slowly, whenever the outer one is called.


@dataclass(frozen=True)
class Swung:
    """Motion of a part that turns about a pivot of its thing, as a leg about a hip.

    Attributes:
        base: Of the thing.
        pivot: In the thing's frame.
        local: The part's middle, seen from the pivot.
        axis: Unit, in the thing's frame.
        angle: Of the turn.
    """

    base: Motion
    pivot: Point
    local: Point
    axis: Point
    angle: Angle

    def __call__(self, times: Times) -> Poses:
        turn = turned(self.axis, self.angle(times))
        return self.base(times) @ assembled(turn, self.pivot + turn @ self.local)


@dataclass(frozen=True)
class Route:
    """A way from one place to another: a quadratic Bezier curve, and how far along it a thing is when.

    Attributes:
        start: At progress 0.
        bend: Control point; in the middle of the two others the way is straight.
        end: At progress 1.
        progress: From 0 to 1, at any times.
    """

    start: Point
    bend: Point
    end: Point
    progress: Callable[[Times], Float64[np.ndarray, " t"]]

    def at(self, times: Times) -> Float64[np.ndarray, "t 3"]:
        s = self.progress(times)[:, None]
        return (1 - s) ** 2 * self.start + 2 * s * (1 - s) * self.bend + s**2 * self.end

    def yaw(self, times: Times) -> Float64[np.ndarray, " t"]:
        """Turn about the vertical that brings the z axis into the direction of the way."""
        s = self.progress(times)[:, None]
        ahead = (1 - s) * (self.bend - self.start) + s * (self.end - self.bend)
        return np.arctan2(ahead[:, 0], ahead[:, 2])

    def length(self) -> float:
        """Of the way as a chain of short straight pieces."""
        s = np.linspace(0, 1, 17)[:, None]
        points = (1 - s) ** 2 * self.start + 2 * s * (1 - s) * self.bend + s**2 * self.end
        return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())


def steady(times: Times) -> Float64[np.ndarray, " t"]:
    return times


def eased(times: Times) -> Float64[np.ndarray, " t"]:
    """Speeding up, then slowing down (smoothstep)."""
    t = np.clip(times, 0, 1)
    return t * t * (3 - 2 * t)


def stop_and_go(stop: float, go: float) -> Callable[[Times], Float64[np.ndarray, " t"]]:
    """Half of the way until `stop`, the other half from `go` on."""
    return lambda times: 0.5 * eased(times / stop) + 0.5 * eased((times - go) / (1 - go))


def heading(route: Route) -> Motion:
    """Upright, its z axis along the way."""
    return lambda times: assembled(turned(UP_AXIS, route.yaw(times)), route.at(times))


@dataclass(frozen=True)
class Spinning:
    """Motion along a route while turning about an axis of the world, and being thrown.

    Attributes:
        route: Of the origin.
        axis: Unit.
        angle: Of the turn.
        rise: Height that it is thrown up to, once for every bounce.
        bounces: How many there are.
    """

    route: Route
    axis: Point
    angle: Angle
    rise: float = 0.0
    bounces: float = 1.0

    def __call__(self, times: Times) -> Poses:
        position = self.route.at(times)
        u = np.mod(times * self.bounces, 1.0)
        position[:, 1] -= self.rise * 4 * u * (1 - u)
        return assembled(turned(self.axis, self.angle(times)), position)


def rolling(route: Route, radius: float) -> Motion:
    """Rolling along a straight way without slipping: it turns by its way over its radius."""
    way = route.end - route.start
    length = math.hypot(way[0], way[2])
    # The axle lies level and at right angles to the way; y points down, so that forward is about down x way.
    axle = np.array([way[2], 0.0, -way[0]]) / max(length, 1e-9)
    return Spinning(route, axle, lambda times: -length / radius * route.progress(times))


def sine(amplitude: float, rate: float, phase: float) -> Angle:
    return lambda times: amplitude * np.sin(2 * math.pi * (rate * times + phase))


def turning(total: float, phase: float = 0.0) -> Angle:
    return lambda times: phase + total * times
