"""Camera paths of the battery, each a function of time in [0, 1] that takes as long as the clip."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from _benchmark.camera_scene import KIOSK
from neoverse_ns.clip.synthetic.solids import rigid

TURN = 2 * math.pi


class Place(NamedTuple):
    """Where a camera is and looks: scene units and degrees; yaw to the right, then pitch up, then roll clockwise."""

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0

    def c2w(self) -> Float[Tensor, "4 4"]:
        """Camera-to-world matrix, OpenCV axes, float64."""
        pose = rigid((self.x, self.y, self.z), math.radians(self.yaw), math.radians(self.pitch))
        cos, sin = math.cos(math.radians(self.roll)), math.sin(math.radians(self.roll))
        pose[:3, :3] = pose[:3, :3] @ torch.tensor([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]], dtype=torch.float64)
        return pose


Path = Callable[[float], Place]


def walk(time: float) -> Place:
    """Three units straight ahead on foot: sway, footsteps, and a head that is not quite still."""
    return Place(
        x=0.13 * math.sin(TURN * 1.1 * time),
        y=0.035 * math.sin(TURN * 3.4 * time),
        z=-1.0 + 3.0 * time,
        yaw=2.2 * math.sin(TURN * 0.85 * time),
        pitch=0.6 * math.sin(TURN * 1.3 * time + 0.4),
    )


def shaken_walk(time: float) -> Place:
    """The same with the hand's shake: turns of up to 5 degrees between frames."""
    return walk(time)._replace(
        yaw=2.4 * math.sin(TURN * 6.1 * time),
        pitch=1.9 * math.sin(TURN * 7.3 * time + 1.1),
        roll=1.4 * math.sin(TURN * 5.2 * time + 2.3),
    )


def sideways(time: float) -> Place:
    """Past the lane, looking into it."""
    return Place(x=-1.2 + 2.4 * time, y=0.03 * math.sin(TURN * 3.1 * time), yaw=1.5 * math.sin(TURN * time))


def corner(time: float) -> Place:
    """Eleven steps of 0.48: up the lane for 0.8, then round into the street by 10 degrees a step."""
    way, straight = 11 * 0.48 * time, 0.8
    radius = 0.48 / math.radians(10)
    angle = min(max(way - straight, 0.0) / radius, math.pi / 2)
    rest = max(way - straight - radius * math.pi / 2, 0.0)
    return Place(
        x=radius * (1 - math.cos(angle)) + rest,
        z=6.6 + min(way, straight) + radius * math.sin(angle),
        yaw=math.degrees(angle),
    )


def orbit(time: float) -> Place:
    """An arc of 44 degrees around the kiosk, which stays in the middle."""
    angle, distance = math.radians(22 * (2 * time - 1)), 3.8
    x, _, z = KIOSK
    return Place(x + distance * math.sin(angle), -0.15, z - distance * math.cos(angle), -math.degrees(angle), -3.0)


def fast_pan(time: float) -> Place:
    """132 degrees to the right, 12 between frames, while taking a step."""
    return Place(x=0.8 * time, z=1.8 + 0.5 * time, yaw=-42 + 132 * time)


def turn(time: float) -> Place:
    """33 degrees to the right on the spot."""
    return Place(z=2.5, yaw=-15 + 33 * time, pitch=2 * math.sin(TURN * time))


def stand(_time: float) -> Place:
    """On the spot."""
    return Place(z=1.0)


def lean(time: float) -> Place:
    """Eight hundredths of a unit to the side: one or two percent of the depth."""
    return Place(x=-0.04 + 0.08 * time, y=0.01 * time, yaw=0.8 * math.sin(TURN * time))
