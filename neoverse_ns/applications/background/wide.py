"""One camera that sees what all cameras of a path saw together."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import project, unproject

WIDEST = math.radians(120)
"""Angle of view beyond which a flat picture stretches too much at its sides."""
LARGEST = 3.0
"""Most sides of a frame that the picture may measure."""


def wide_camera(cameras: PinholeCameras, distance: float) -> PinholeCameras:
    """The path's middle camera with a picture so large that the others' pictures lie in it, pixels as large as theirs.

    Args:
        cameras: Of the path.
        distance: How far away what they see is taken to be, world units.

    Returns:
        One camera of even sides, at most :data:`LARGEST` times a frame's and :data:`WIDEST` wide or high.
    """
    number = len(cameras) // 2
    middle = cameras[[number]]
    own_K = middle.K[0].double()
    corners = _corners(cameras, distance)
    uv, z = project(corners, torch.linalg.inv(middle.c2w[0].double()), own_K)
    uv = uv[z > 0]
    sides, shifts = [], []
    for axis, side in enumerate((cameras.width, cameras.height)):
        focal, centre = float(own_K[axis, axis]), float(own_K[axis, 2])
        reach = focal * math.tan(WIDEST / 2)
        room = (LARGEST - 1) / 2 * side
        low = max(min(float(uv[:, axis].min()), 0.0), centre - reach, -room)
        high = min(max(float(uv[:, axis].max()), float(side)), centre + reach, side + room)
        low = math.floor(low)
        sides.append(2 * math.ceil((high - low) / 2))
        shifts.append(-low)
    K = middle.K.clone()
    K[:, 0, 2] += shifts[0]
    K[:, 1, 2] += shifts[1]
    return PinholeCameras(middle.c2w, K, *sides)


def _corners(cameras: PinholeCameras, distance: float) -> Float[Tensor, "m 3"]:
    """World points at the corners of all pictures."""
    size = cameras.height, cameras.width
    flat = torch.full((len(cameras), *size), distance, dtype=torch.float64)
    points = unproject(flat, cameras.K.double(), cameras.c2w.double())
    return points[:, :: max(size[0] - 1, 1), :: max(size[1] - 1, 1)].reshape(-1, 3)
