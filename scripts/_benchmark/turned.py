"""Cameras turned about what they look at."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.geometry.cameras import PinholeCameras

ASIDE = 15.0
"""Degrees from which a moving thing is looked at from the side."""


def turned_about(
    camera: PinholeCameras, pivot: Float[Tensor, "3"], degrees: Sequence[float] = (-ASIDE, ASIDE)
) -> PinholeCameras:
    """One camera swung about a point, about its own vertical; the point stays at its pixel and depth.

    Args:
        camera: A single one.
        pivot: World point.
        degrees: One turn per camera returned; positive ones stand to the right of the camera's own place.
    """
    turns = torch.eye(4, dtype=torch.float64).repeat(len(degrees), 1, 1)
    for turn, angle in zip(turns, degrees, strict=True):
        cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        # To the right by looking to the left: about y, which points down.
        turn[:3, :3] = torch.tensor([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]], dtype=torch.float64)
    c2w = camera.c2w[0].double()
    local = torch.linalg.inv(c2w)[:3] @ torch.cat([pivot.double(), torch.ones(1, dtype=torch.float64)])
    shift = torch.eye(4, dtype=torch.float64)
    shift[:3, 3] = local
    poses = c2w @ shift @ turns @ torch.linalg.inv(shift)
    return PinholeCameras(poses.to(camera.c2w), camera.K.repeat(len(degrees), 1, 1), camera.width, camera.height)


def middle_of(depth: Float[Tensor, "h w"], mask: Bool[Tensor, "h w"], camera: PinholeCameras) -> Float[Tensor, "3"]:
    """World point in the middle of a masked surface: its mean pixel at its median depth; NaN of an empty mask."""
    rows, columns = torch.nonzero(mask, as_tuple=True)
    z = depth[mask].median() if len(rows) else depth.new_tensor(math.nan)
    K = camera.K[0].to(depth)
    x = (columns.to(depth).mean() + 0.5 - K[0, 2]) / K[0, 0] * z
    y = (rows.to(depth).mean() + 0.5 - K[1, 2]) / K[1, 1] * z
    c2w = camera.c2w[0].to(depth)
    return c2w[:3, :3] @ torch.stack([x, y, z]) + c2w[:3, 3]
