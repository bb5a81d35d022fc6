"""A figure that walks: a body, a head, arms and legs that swing, each a solid of its own."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.clip.synthetic.solids import Motion, Shape, Solid, Vector, rigid
from neoverse_ns.clip.synthetic.textures import Colour, Texture

HEIGHT = 1.7
"""From the soles to the top of the head, scene units."""
HIP, KNEE, SHOULDER = 0.85, 0.43, 1.35
"""Heights of the joints above the ground, scene units."""
STRIDE = 1.3
"""Way of one whole cycle of both legs, scene units."""
SWING = 0.5
"""Angle to which the legs swing to either side, radians; arms swing somewhat less."""

Place = Callable[[float], Vector]


@dataclass(frozen=True)
class Walker:
    """Where and how a figure walks.

    Attributes:
        thing: Its number.
        feet: Point on the ground below it at a time in [0, 1].
        heading: Direction it walks in, radians: 0 along z, positive to the right.
        way: Length of its way, scene units; one cycle of the legs takes STRIDE of it.
        phase: Of the swing at the start, radians.
    """

    thing: int
    feet: Place
    heading: float
    way: float
    phase: float = 0.0

    def solids(self, random: torch.Generator) -> list[Solid]:
        """Its parts, in colours that are drawn."""

        def part(shape: Shape, half: Vector, pose: Motion, texture: Texture) -> Solid:
            return Solid(shape, half, texture, pose, self.thing)

        shirt, trousers, skin = (drawn_texture(random, frequency) for frequency in (3.0, 3.0, 4.0))
        parts = [
            part("box", (0.2, 0.29, 0.12), self._fixed((0.0, -1.13, 0.0)), shirt),
            part("sphere", (0.14, 0.14, 0.14), self._fixed((0.0, -HEIGHT + 0.14, 0.0)), skin),
        ]
        for side in (-1.0, 1.0):
            thigh, shin, arm = self._leg(side, bend=False), self._leg(side, bend=True), self._arm(side)
            parts += [
                part("box", (0.085, 0.22, 0.1), thigh, trousers),
                part("box", (0.07, 0.215, 0.08), shin, trousers),
                part("box", (0.06, 0.3, 0.065), arm, shirt),
            ]
        return parts

    def _angle(self, time: float, side: float) -> float:
        """Of a leg; the other one is half a cycle ahead."""
        return SWING * math.sin(2 * math.pi * self.way * time / STRIDE + self.phase + (math.pi if side > 0 else 0.0))

    def _body(self, time: float) -> Float[Tensor, "4 4"]:
        return rigid(self.feet(time), yaw=self.heading)

    def _fixed(self, middle: Vector) -> Motion:
        return lambda time: self._body(time) @ rigid(middle)

    def _leg(self, side: float, bend: bool) -> Motion:
        """Of the thigh, or of the shin below it, which bends while its leg swings forward."""

        def pose(time: float) -> Float[Tensor, "4 4"]:
            angle = self._angle(time, side)
            hip = self._body(time) @ rigid((0.1 * side, -HIP, 0.0), pitch=angle)
            if not bend:
                return hip @ rigid((0.0, 0.22, 0.0))
            knee = hip @ rigid((0.0, HIP - KNEE, 0.0), pitch=-0.5 * (SWING - angle))
            return knee @ rigid((0.0, 0.215, 0.0))

        return pose

    def _arm(self, side: float) -> Motion:
        def pose(time: float) -> Float[Tensor, "4 4"]:
            shoulder = self._body(time) @ rigid((0.27 * side, -SHOULDER, 0.0), pitch=-0.8 * self._angle(time, side))
            return shoulder @ rigid((0.0, 0.28, 0.0))

        return pose


def drawn_texture(random: torch.Generator, frequency: float, cells: float = 0.0) -> Texture:
    """A texture between a dark and a light colour of one drawn hue."""
    hue, offset = torch.rand(3, generator=random), 31 * torch.rand(3, generator=random)
    hue = hue / hue.max()
    return Texture(_triple(0.25 * hue), _triple(0.55 + 0.4 * hue), frequency, cells=cells, offset=_triple(offset))


def _triple(values: Tensor) -> Colour:
    x, y, z = values.tolist()
    return (x, y, z)
