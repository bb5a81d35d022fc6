"""Pinhole projection between pixels and world points; pixel centres at +0.5, z-depth, no skew, OpenCV axes."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

_SMALLEST_DEPTH = 1e-9


def pixel_centres(
    height: int, width: int, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
) -> Float[Tensor, "{height} {width} 2"]:
    """Image coordinates (x right, y down) of every pixel's centre; the top-left one is (0.5, 0.5)."""
    y = torch.arange(height, dtype=dtype, device=device) + 0.5
    x = torch.arange(width, dtype=dtype, device=device) + 0.5
    grid_y, grid_x = torch.meshgrid(y, x, indexing="ij")
    return torch.stack([grid_x, grid_y], dim=-1)


def unproject(
    depth: Float[Tensor, "*batch h w"], K: Float[Tensor, "*#batch 3 3"], c2w: Float[Tensor, "*#batch 4 4"]
) -> Float[Tensor, "*batch h w 3"]:
    """World points seen by every pixel.

    Args:
        depth: Distance along the optical axis (z), world units.
        K: Intrinsics in pixels.
        c2w: Camera-to-world.
    """
    height, width = depth.shape[-2:]
    pixels = pixel_centres(height, width, depth.dtype, depth.device)
    focal = torch.stack([K[..., 0, 0], K[..., 1, 1]], dim=-1)[..., None, None, :]
    centre = K[..., :2, 2][..., None, None, :]
    in_plane = (pixels - centre) / focal * depth[..., None]
    camera = torch.cat([in_plane, depth[..., None]], dim=-1)
    return camera @ c2w[..., None, :3, :3].mT + c2w[..., None, None, :3, 3]


def project(
    points: Float[Tensor, "*#batch n 3"], viewmats: Float[Tensor, "*#batch 4 4"], Ks: Float[Tensor, "*#batch 3 3"]
) -> tuple[
    Float[Tensor, "*batch n 2"],  # image coordinates in pixels
    Float[Tensor, "*batch n"],  # z-depth, negative behind the camera
]:
    """Project world points through world-to-camera matrices; coordinates mean something only where z > 0.

    At z = 0 they are huge instead of NaN, so that masking them afterwards leaves gradients finite.
    """
    camera = points @ viewmats[..., :3, :3].mT + viewmats[..., None, :3, 3]
    z = camera[..., 2]
    divisor = torch.where(z.abs() < _SMALLEST_DEPTH, torch.full_like(z, _SMALLEST_DEPTH), z)
    focal = torch.stack([Ks[..., 0, 0], Ks[..., 1, 1]], dim=-1)[..., None, :]
    uv = camera[..., :2] / divisor[..., None] * focal + Ks[..., None, :2, 2]
    return uv, z
