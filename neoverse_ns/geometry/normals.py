"""Surface normals from depth maps."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.geometry.projection import unproject


def normals_from_depth(
    depth: Float[Tensor, "h w"], K: Float[Tensor, "3 3"], c2w: Float[Tensor, "4 4"]
) -> Float[Tensor, "h w 3"]:
    """Unit normals in the world, facing the camera; central differences inside, one-sided at the borders.

    Args:
        depth: z-depth, world units.
        K: Intrinsics in pixels.
        c2w: Camera-to-world, OpenCV axes.
    """
    points = unproject(depth, K, c2w)
    along_x, along_y = (_difference(points, axis) for axis in (1, 0))
    normals = F.normalize(torch.linalg.cross(along_y, along_x), dim=-1)
    away = (normals * (points - c2w[:3, 3])).sum(-1, keepdim=True) > 0
    return torch.where(away, -normals, normals)


def _difference(points: Float[Tensor, "h w 3"], axis: int) -> Float[Tensor, "h w 3"]:
    if points.shape[axis] < 2:
        return torch.zeros_like(points)
    return torch.gradient(points, dim=axis)[0]
