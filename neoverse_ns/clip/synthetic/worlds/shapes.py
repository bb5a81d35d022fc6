"""Where rays meet boxes, ellipsoids, cylinders and planes, of a whole picture at once."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64
from torch import Tensor

Shape = Literal["box", "ellipsoid", "cylinder", "plane"]
"""In the part's frame scaled by half extents: the cube of side 2, the unit sphere, the unit cylinder along y, y = 0."""

SHAPES: tuple[Shape, ...] = ("box", "ellipsoid", "cylinder", "plane")

Rays = tuple[Float32[Tensor, "h w"], Float32[Tensor, "h w"], Float32[Tensor, "h w"]]
"""Directions of a picture's rays, a tensor for each axis."""

NO_SLOPE = 1e-20
"""Added to every direction: 0 would give 0/0, and nothing else changes."""


def rays_in(frame: Float64[np.ndarray, "3 3"], x: Float64[np.ndarray, " w"], y: Float64[np.ndarray, " h"]) -> Rays:
    """Directions of the rays through (x, y, 1) in another frame.

    Args:
        frame: From the camera's axes to that frame's.
        x: Of the columns, on the plane at distance 1.
        y: Of the rows.
    """
    across = torch.from_numpy(np.multiply.outer(frame[:, 0], x).astype(np.float32))
    down = torch.from_numpy((np.multiply.outer(frame[:, 1], y) + frame[:, 2:]).astype(np.float32))
    rays = across[:, None] + down[:, :, None] + NO_SLOPE
    return rays[0], rays[1], rays[2]


def meet(shape: Shape, origin: tuple[float, float, float], rays: Rays, inside: bool) -> Float32[Tensor, "h w"]:
    """Multiple of each direction at which the ray enters the shape, or, for one seen from inside, leaves it.

    Args:
        shape: Scaled to unit half extents, as origin and rays are.
        origin: Common start of the rays.
        rays: Of any length.
        inside: The origin lies inside.

    Returns:
        Not above zero, not a number or infinite where the ray misses.
    """
    if shape == "plane":
        return -origin[1] / rays[1]
    near, far = _SPANS[shape](origin, rays)
    if inside:
        return far
    return torch.where(near <= far, near, torch.inf)


def _box(origin: tuple[float, float, float], rays: Rays) -> tuple[Tensor, Tensor]:
    """Slab test (Kay and Kajiya 1986): the overlap of the spans in which the ray is between each pair of faces."""
    spans = [_slab(start, ray) for start, ray in zip(origin, rays, strict=True)]
    near = torch.maximum(torch.maximum(spans[0][0], spans[1][0]), spans[2][0])
    far = torch.minimum(torch.minimum(spans[0][1], spans[1][1]), spans[2][1])
    return near, far


def _slab(start: float, ray: Float32[Tensor, "h w"]) -> tuple[Tensor, Tensor]:
    inverse = 1 / ray
    reach, centre = inverse.abs(), inverse * -start
    return centre - reach, centre + reach


def _ellipsoid(origin: tuple[float, float, float], rays: Rays) -> tuple[Tensor, Tensor]:
    return _round(origin, rays)


def _cylinder(origin: tuple[float, float, float], rays: Rays) -> tuple[Tensor, Tensor]:
    near, far = _round((origin[0], origin[2]), (rays[0], rays[2]))
    low, high = _slab(origin[1], rays[1])
    return torch.maximum(near, low), torch.minimum(far, high)


def _round(origin: tuple[float, ...], rays: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """Span inside the unit circle or sphere, by the ray's nearest point to the middle, which keeps single precision
    enough for far ones (Haines and others, Ray Tracing Gems, chapter 7)."""
    squared = sum_of([ray * ray for ray in rays])
    to_middle = sum_of([ray * -start for start, ray in zip(origin, rays, strict=True)]) / squared
    beside = [start + ray * to_middle for start, ray in zip(origin, rays, strict=True)]
    # Not a number where the ray misses; comparisons with it are false.
    half = ((1 - sum_of([value * value for value in beside])) / squared).sqrt()
    return to_middle - half, to_middle + half


_SPANS = {"box": _box, "ellipsoid": _ellipsoid, "cylinder": _cylinder}


def sum_of(values: list[Tensor]) -> Tensor:
    """Added from the first to the last, so that the rounding is the same everywhere."""
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total


def normals_on(
    shape: Int64[Tensor, " n"], points: Float32[Tensor, "3 n"], half: Float32[Tensor, "3 n"]
) -> Float32[Tensor, "3 n"]:
    """Outward unit normals in the part's frame; of a plane the one against y, which points down.

    Args:
        shape: Places in SHAPES.
        points: On the surfaces, scaled by the half extents.
        half: These extents.
    """
    size = points.abs()
    flat = torch.where(size >= size.amax(0), points.sign(), 0.0)
    slope = points / half
    cylinder = shape == SHAPES.index("cylinder")
    cap = cylinder & (size[1] * size[1] >= points[0] * points[0] + points[2] * points[2])
    slope[1] = torch.where(cylinder, 0.0, slope[1])
    curved = (shape == SHAPES.index("ellipsoid")) | (cylinder & ~cap)
    normals = torch.where(curved, slope, flat)
    plane = shape == SHAPES.index("plane")
    along_y = torch.where(cap, points[1].sign(), torch.where(plane, -1.0, 0.0))
    normals = torch.where(cap | plane, 0.0, normals)
    normals[1] += along_y
    length = (normals[0] * normals[0] + normals[1] * normals[1] + normals[2] * normals[2]).sqrt()
    return normals / length.clamp_min(1e-12)
