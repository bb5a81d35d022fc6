"""Plücker maps: where every pixel's ray runs, as six numbers a network can read."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize


def plucker_maps(
    c2w: Float[Tensor, "*batch 4 4"], K: Float[Tensor, "*batch 3 3"], height: int, width: int
) -> Float[Tensor, "*batch 6 {height} {width}"]:
    """Unit direction d in the world, then the moment o x d about the world's origin, o being the camera's centre.

    Rays run through integer pixel coordinates, not through pixel centres: so the released control branch was trained.

    Args:
        c2w: Camera-to-world, OpenCV axes.
        K: Intrinsics in pixels; skew is ignored.
        height: Image height in pixels.
        width: Image width in pixels.
    """
    x = torch.arange(width, dtype=K.dtype, device=K.device)
    y = torch.arange(height, dtype=K.dtype, device=K.device)
    across = ((x - K[..., 0, 2, None]) / K[..., 0, 0, None])[..., None, :].expand(*K.shape[:-2], height, width)
    down = ((y - K[..., 1, 2, None]) / K[..., 1, 1, None])[..., :, None].expand(*K.shape[:-2], height, width)
    seen = torch.stack([across, down, torch.ones_like(across)], dim=-1)
    directions = normalize(seen @ c2w[..., None, :3, :3].mT, dim=-1)
    centres = c2w[..., None, None, :3, 3].expand_as(directions)
    return torch.cat([directions, torch.linalg.cross(centres, directions)], dim=-1).movedim(-1, -3)
