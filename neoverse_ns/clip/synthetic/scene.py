"""What stands and moves in the synthetic courtyard: x right, y down, z away; the ground is at y = GROUND."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.clip.synthetic.solids import Motion, Solid, Vector, fixed, rigid
from neoverse_ns.clip.synthetic.textures import Colour, Texture

GROUND = 1.3
"""Height of the camera above the ground, in scene units."""

ROLLING_RADIUS = 0.5
"""Radius of the ball that rolls on the ground, in scene units."""


def build_scene(generator: torch.Generator) -> list[Solid]:
    """Static solids first, then the moving ones; `generator` draws the texture offsets and small shifts in place."""

    def box(half: Vector, pose: Motion, dark: str, light: str, frequency: float, cells: float, thing: int = 0) -> Solid:
        return Solid("box", half, _texture(generator, dark, light, frequency, cells), pose, thing)

    def ball(radius: float, pose: Motion, dark: str, light: str, frequency: float, thing: int = 0) -> Solid:
        return Solid("sphere", (radius, radius, radius), _texture(generator, dark, light, frequency, 0.0), pose, thing)

    def near(x: float, y: float, z: float, yaw: float = 0.0) -> Motion:
        dx, dz, turn = (0.1 * (torch.rand(3, generator=generator) - 0.5)).tolist()
        return fixed((x + dx, y, z + dz), yaw + turn)

    backdrop = ball(42.0, fixed((0.0, 0.0, 0.0)), "4d769e", "f8edda", 0.12)
    ground = box((60.0, 0.5, 60.0), fixed((0.0, GROUND + 0.5, 0.0)), "574a38", "ccbf9e", 0.9, 0.8)
    walls = [
        box((5.5, 1.5, 0.3), near(0.3, -0.2, 10.5), "783829", "eda880", 0.8, 1.5),
        box((0.3, 1.3, 4.0), near(-5.0, 0.0, 7.5, 0.1), "38543d", "b3d194", 0.9, 1.5),
        box((0.3, 1.0, 2.5), near(5.0, 0.3, 8.0, -0.2), "47426b", "d1c7eb", 1.0, 1.8),
    ]
    boxes = [
        box((0.55, 0.9, 0.5), near(-2.5, 0.4, 5.6, 0.5), "1a4073", "9ed9f2", 1.6, 2.5),
        box((0.7, 0.45, 0.5), near(2.7, 0.85, 5.0, -0.4), "805c0d", "fae673", 1.6, 3.0),
        box((0.3, 1.6, 0.3), near(1.2, -0.3, 7.6, 0.7), "333338", "e0dbd6", 2.2, 2.0),
        box((0.5, 0.3, 0.35), near(-1.2, 1.0, 3.7, 0.3), "661f4d", "f2b3d9", 2.4, 4.0),
    ]
    balls = [
        ball(0.7, near(-0.9, GROUND - 0.7, 8.3), "1f5926", "bff28c", 1.8),
        ball(0.4, near(1.1, GROUND - 0.4, 4.0), "73330d", "ffcc80", 2.6),
    ]
    moving = [
        ball(0.42, _thrown, "990d0d", "ffd940", 2.6, thing=1),
        box((0.4, 0.4, 0.4), _sliding, "0d1a80", "8cf2ff", 2.2, 2.5, thing=2),
        ball(ROLLING_RADIUS, _rolling, "590d73", "f2bfff", 2.2, thing=3),
    ]
    return [backdrop, ground, *walls, *boxes, *balls, *moving]


def _texture(generator: torch.Generator, dark: str, light: str, frequency: float, cells: float) -> Texture:
    """A texture between two colours given as RRGGBB."""
    x, y, z = (31 * torch.rand(3, generator=generator)).tolist()
    return Texture(_colour(dark), _colour(light), frequency, cells=cells, offset=(x, y, z))


def _colour(code: str) -> Colour:
    red, green, blue = (value / 255 for value in bytes.fromhex(code))
    return (red, green, blue)


def _along(start: Vector, end: Vector, time: float) -> Vector:
    x, y, z = (a + (b - a) * time for a, b in zip(start, end, strict=True))
    return (x, y, z)


def _thrown(time: float) -> Float[Tensor, "4 4"]:
    """A ball that rises and falls on its way to the right, spinning."""
    x, y, z = _along((-1.7, 0.5, 5.2), (1.9, 0.5, 4.6), time)
    return rigid((x, y - 1.2 * 4 * time * (1 - time), z), yaw=0.8 * time, pitch=-1.2 * time)


def _sliding(time: float) -> Float[Tensor, "4 4"]:
    """A crate that slides toward the camera and turns about the vertical."""
    return rigid(_along((1.9, GROUND - 0.4, 6.6), (-0.1, GROUND - 0.4, 5.2), time), yaw=0.3 + 1.1 * time)


def _rolling(time: float) -> Float[Tensor, "4 4"]:
    """A ball that rolls behind the pillar without slipping: it turns by its way divided by its radius."""
    start, end = (-0.1, GROUND - ROLLING_RADIUS, 9.4), (2.6, GROUND - ROLLING_RADIUS, 8.6)
    way = math.dist(start, end) * time
    return rigid(
        _along(start, end, time), yaw=math.atan2(end[0] - start[0], end[2] - start[2]), pitch=-way / ROLLING_RADIUS
    )
