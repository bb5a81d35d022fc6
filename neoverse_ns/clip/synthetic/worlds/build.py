"""A whole world from a number."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from neoverse_ns.clip.synthetic.worlds.camera_paths import draw_camera
from neoverse_ns.clip.synthetic.worlds.draw import Draw
from neoverse_ns.clip.synthetic.worlds.motions import Point, placed
from neoverse_ns.clip.synthetic.worlds.movers import MOVERS, Mover
from neoverse_ns.clip.synthetic.worlds.places import outdoors, room
from neoverse_ns.clip.synthetic.worlds.things import INDOORS, OUTDOORS, Maker
from neoverse_ns.clip.synthetic.worlds.world import Part, Vector, World

FIELD = (35.0, 90.0)
"""Degrees of the longer side of the picture that lenses see."""

FOCAL = 0.85
"""Over the longer side: the lens for which a scene is about five units deep; longer ones see deeper ones."""

CHECKED = np.linspace(0, 1, 9)
"""Times at which places are compared."""

FROM_CAMERA = 0.5
"""Units of length that the camera keeps from everything."""

TRIES = 20
"""Places tried for each thing before it is left out."""


def is_static(seed: int) -> bool:
    """Nothing moves in a third of all worlds; told without building one."""
    # The mixing step of splitmix64 (Steele and others 2014), so that neighbouring seeds have nothing in common.
    mixed = (seed + 0x9E3779B97F4A7C15) & (2**64 - 1)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = ((mixed ^ (mixed >> shift)) * factor) & (2**64 - 1)
    return (mixed ^ (mixed >> 31)) % 3 == 0


def random_world(seed: int) -> World:
    """The world of a seed, the same on every machine.

    Args:
        seed: Any whole number.
    """
    draw, static = Draw(seed), is_static(seed)
    focal = 0.5 / math.tan(math.radians(draw.between(*FIELD)) / 2)
    reach, floor = 5.0 * min(max(focal / FOCAL, 0.75), 1.9), draw.between(0.9, 1.9)
    camera = draw_camera(draw, static, math.atan(0.55 * floor / reach))
    stage = _Stage(draw, camera(CHECKED), focal, floor, reach)
    indoors = draw.chance(0.5)
    parts, light, (stage.low, stage.high) = (room if indoors else outdoors)(draw, stage.eyes, floor, reach)
    number = 1
    for _ in range(0 if static else draw.one_of((1, 1, 2, 2, 3, 4))):
        mover = stage.add_mover(number)
        parts, number = parts + mover, number + bool(mover)
    for _ in range(draw.count(4, 9)):
        parts += stage.add_standing(INDOORS if indoors else OUTDOORS)
    return World(tuple(parts), light, camera, focal, "room" if indoors else "outdoors", camera.kind)


class _Stage:
    """Keeps things apart from each other and from the camera, and most of them in its view."""

    low: Vector
    high: Vector

    def __init__(
        self, draw: Draw, cameras: Float64[np.ndarray, "t 4 4"], focal: float, floor: float, reach: float
    ) -> None:
        self.draw, self.focal, self.floor, self.reach = draw, focal, floor, reach
        self.cameras, self.eyes = cameras, cameras[:, :3, 3]
        self.ways, self.radii = self.eyes[None], np.array([FROM_CAMERA])

    def place(self, near: float, far: float, wide: float) -> Point:
        """A place on the ground that is seen at some time; distances in units of `reach`."""
        pose = self.cameras[self.draw.count(0, len(self.cameras) - 1)]
        distance = self.reach * self.draw.between(near, far)
        yaw = math.atan2(pose[0, 2], pose[2, 2])
        aside = self.draw.about(wide * 0.5 / self.focal) * distance
        x = pose[0, 3] + distance * math.sin(yaw) + aside * math.cos(yaw)
        z = pose[2, 3] + distance * math.cos(yaw) - aside * math.sin(yaw)
        return np.array([x, self.floor, z])

    def inside(self, point: Point, radius: float) -> bool:
        """A thing of that radius there does not reach through the place's walls."""
        x, _, z = point.tolist()
        (left, _, near), (right, _, far) = self.low, self.high
        return left + radius < x < right - radius and near + radius < z < far - radius

    def free(self, way: Float64[np.ndarray, "t 3"], radius: float, level: bool) -> bool:
        """Nothing is within reach at any time; `level` compares as seen from above."""
        apart = way - self.ways
        if level:
            apart = apart[:, :, [0, 2]]
        squared = np.einsum("ntc,ntc->nt", apart, apart).min(1)
        return bool((squared > (radius + self.radii) ** 2).all())

    def take(self, way: Float64[np.ndarray, "t 3"], radius: float) -> None:
        """Keep a way for whoever has gone it."""
        self.ways = np.concatenate([self.ways, way[None]])
        self.radii = np.append(self.radii, radius)

    def seen(self, way: Float64[np.ndarray, "t 3"]) -> float:
        """Share of the times at which a place is in a picture of 16:9."""
        local = ((way - self.eyes)[:, None] @ self.cameras[:, :3, :3])[:, 0]
        slope = np.abs(local[:, :2]) / np.maximum(local[:, 2:], 1e-6)
        return float(((local[:, 2] > 0.5) & (slope < 0.5 / self.focal * np.array([0.95, 0.55])).all(1)).mean())

    def add_mover(self, number: int) -> list[Part]:
        """One that is mostly in view; the first one is the best of as many as it takes, so that something moves."""
        best, merit = None, 0.0
        for attempt in range(TRIES if number > 1 else 20 * TRIES):
            mover, length = self._on_its_way()
            way = mover.middles(CHECKED)
            if not all(self.inside(point, mover.radius) for point in way) or not self.free(way, mover.radius, False):
                continue
            seen = self.seen(way) if length > 0.15 * self.reach else 0.0
            if best is None or seen > merit:
                best, merit = mover, seen
            if merit >= 0.75 or attempt >= TRIES:
                break
        if best is None or (number > 1 and merit < 0.6):
            return []
        self.take(best.middles(CHECKED), best.radius)
        return best.thing.parts(best.motion, number)

    def _on_its_way(self) -> tuple[Mover, float]:
        """Any mover between places that are seen, and how far these are apart."""
        start, end = self.place(0.45, 1.15, 0.7), self.place(0.45, 1.15, 0.7)
        length, longest = float(np.linalg.norm(end - start)), 0.7 * self.reach
        if length > longest:
            end = start + (end - start) * longest / length
        return self.draw.one_of(MOVERS)(self.draw, start, end), length

    def add_standing(self, makers: Sequence[Maker]) -> list[Part]:
        thing = self.draw.one_of(makers)(self.draw)
        for _ in range(TRIES):
            point = self.place(0.5, 1.6, 0.95)
            way = np.repeat(point[None], len(self.eyes), axis=0)
            if self.inside(point, thing.radius) and self.free(way, thing.radius, True):
                self.take(way, thing.radius)
                return thing.parts(placed(point, self.draw.between(0.0, 2 * math.pi)))
        return []
