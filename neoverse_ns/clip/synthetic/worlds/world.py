"""A world: parts that stand or move rigidly, light, and a camera's path through it; any time of it can be asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from neoverse_ns.clip.synthetic.textures import Colour
from neoverse_ns.clip.synthetic.worlds.shapes import Shape
from neoverse_ns.clip.synthetic.worlds.surface import Surface

Vector = tuple[float, float, float]
Times = Float64[np.ndarray, " t"]
"""From 0 at the clip's first frame to 1 at its last."""
Poses = Float64[np.ndarray, "t 4 4"]
Motion = Callable[[Times], Poses]
"""Local-to-world rigid transforms at any times."""


@dataclass(frozen=True)
class Part:
    """One textured solid.

    Attributes:
        shape: Box, ellipsoid, cylinder along its y axis, or infinite plane (y = 0, seen from above).
        half: Half extents along the part's own axes, in units of length.
        surface: What covers it.
        pose: Where it is.
        thing: Number, from 1 on, of the moving thing that it belongs to; 0 where it stands still.
        inside: The camera is inside it: a room's walls, or the sky.
        sky: Its depth counts as unknown.
    """

    shape: Shape
    half: Vector
    surface: Surface
    pose: Motion
    thing: int = 0
    inside: bool = False
    sky: bool = False


@dataclass(frozen=True)
class Light:
    """One lamp or sun, and what comes from everywhere.

    Attributes:
        place: Of the lamp in the world; a sun is very far.
        colour: Of its light where a surface faces it, nearby.
        ambient: Of the light from everywhere, in the middle between what comes from above and from below.
        from_above: How much more than `ambient` comes from above, as a share; so much less comes from below.
        reach: Distance at which the lamp gives half.
    """

    place: Vector
    colour: Colour
    ambient: Colour
    from_above: float
    reach: float


@dataclass(frozen=True)
class World:
    """Everything there is to film.

    Attributes:
        parts: In no order that matters.
        light: On all of them.
        camera: Camera-to-world, OpenCV axes, at any times.
        focal: Over the longer side of the picture.
        kind: What sort of place it is, for people.
        path: What sort of way the camera goes, for people.
    """

    parts: tuple[Part, ...]
    light: Light
    camera: Motion
    focal: float
    kind: str = ""
    path: str = ""

    @property
    def things(self) -> int:
        """How many things move."""
        return max((part.thing for part in self.parts), default=0)

    def poses(self, times: Times) -> Float64[np.ndarray, "t parts 4 4"]:
        """Of all parts at some times."""
        return np.stack([part.pose(times) for part in self.parts], axis=1)

    def intrinsics(self, width: int, height: int) -> Float64[np.ndarray, "3 3"]:
        """In pixels of pictures of that size; centres lie at +0.5."""
        focal = self.focal * max(width, height)
        return np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
