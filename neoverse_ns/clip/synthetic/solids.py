"""Spheres and boxes that rays can hit."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.clip.synthetic.textures import Texture

Vector = tuple[float, float, float]
Shape = Literal["sphere", "box"]
Motion = Callable[[float], Float[Tensor, "4 4"]]


@dataclass(frozen=True)
class Solid:
    """One textured object.

    Attributes:
        shape: "sphere" (radius `half[0]`; seen from inside where the camera is inside) or "box".
        half: Half extents along the object's own axes.
        texture: Its surface.
        pose: Local-to-world rigid transform (float64) at a normalised time in [0, 1].
        thing: Number, from 1 on, of the thing it is a part of; 0 where `pose` does not depend on time.
    """

    shape: Shape
    half: Vector
    texture: Texture
    pose: Motion
    thing: int = 0


def rigid(position: Vector, yaw: float = 0.0, pitch: float = 0.0) -> Float[Tensor, "4 4"]:
    """Rotation by `pitch` about x, then by `yaw` about y (radians), then a shift to `position`; float64."""
    cos_y, sin_y, cos_p, sin_p = math.cos(yaw), math.sin(yaw), math.cos(pitch), math.sin(pitch)
    turn = torch.tensor([[cos_y, 0, sin_y], [0, 1, 0], [-sin_y, 0, cos_y]], dtype=torch.float64)
    tilt = torch.tensor([[1, 0, 0], [0, cos_p, -sin_p], [0, sin_p, cos_p]], dtype=torch.float64)
    pose = torch.eye(4, dtype=torch.float64)
    pose[:3, :3] = turn @ tilt
    pose[:3, 3] = torch.tensor(position, dtype=torch.float64)
    return pose


def fixed(position: Vector, yaw: float = 0.0) -> Motion:
    """A pose that does not depend on time."""
    pose = rigid(position, yaw)
    return lambda _time: pose


def intersect(solid: Solid, origin: Float[Tensor, "3"], directions: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
    """Smallest positive multiple of each direction at which the ray enters (or, from inside, leaves) the solid.

    Args:
        solid: Its pose is not used: rays are given in its own frame.
        origin: Common start of all rays.
        directions: Not necessarily of unit length.

    Returns:
        Infinity where the ray misses.
    """
    if solid.shape == "sphere":
        near, far = _sphere_span(solid.half[0], origin, directions)
    else:
        near, far = _box_span(solid.half, origin, directions)
    first = torch.where(near > 0, near, far)
    return torch.where((near <= far) & (first > 0), first, torch.inf)


def normals_at(solid: Solid, points: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
    """Outward unit normals at surface points, in the solid's own frame."""
    if solid.shape == "sphere":
        return points / solid.half[0]
    scaled = points / points.new_tensor(solid.half)
    face = scaled.abs().argmax(dim=1, keepdim=True)
    return torch.zeros_like(points).scatter_(1, face, scaled.gather(1, face).sign())


def _sphere_span(radius: float, origin: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
    a = (directions * directions).sum(dim=1)
    b = directions @ origin
    c = origin @ origin - radius**2
    root = (b * b - a * c).sqrt()  # NaN where the ray misses; comparisons with NaN are false, which marks it a miss.
    return (-b - root) / a, (-b + root) / a


def _box_span(half: Vector, origin: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
    """Slab test (Kay and Kajiya 1986): the overlap of the spans in which the ray is between each pair of faces."""
    # A ray parallel to a face would give 0/0 or inf - inf; a hair's breadth of slope changes nothing else.
    directions = torch.where(directions == 0, 1e-20, directions)
    centre = -origin / directions
    reach = (directions.new_tensor(half) / directions).abs()
    return (centre - reach).amax(dim=1), (centre + reach).amin(dim=1)
