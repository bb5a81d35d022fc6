"""A floor and a wall before a walking camera, with exact flow."""

from __future__ import annotations

import numpy as np
import torch

from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.reconstruct.bundle.depth.keyframe_depth import Views, gather_views
from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField

H, W, F = 64, 96, 80.0
FRAMES, MIDDLE = 9, 4


def ground() -> torch.Tensor:
    """Depth of a floor that meets a wall at depth 4."""
    rows = torch.arange(H) + 0.5
    return (F * 1.0 / (rows - H / 2).clamp_min(1.0)).clamp_max(4.0)[:, None].expand(H, W).clone()


def walk(bounce: float = 0.06) -> torch.Tensor:
    """World-to-camera poses of a walk to the right with footsteps; the middle frame is the world's origin."""
    times = torch.arange(FRAMES) - MIDDLE
    twists = torch.zeros(FRAMES, 6, dtype=torch.float64)
    twists[:, 0] = -0.08 * times
    twists[:, 1] = bounce * torch.sin(2.1 * times.double())
    return se3_exp(twists)


def views_of(depth: torch.Tensor, viewmats: torch.Tensor, mover: torch.Tensor, velocity: tuple[float, ...]) -> Views:
    """Exact views of the middle frame in which the pixels of `mover` move by `velocity` per frame."""
    y, x = torch.meshgrid(torch.arange(H) + 0.5, torch.arange(W) + 0.5, indexing="ij")
    points = torch.stack([(x - W / 2) / F * depth, (y - H / 2) / F * depth, depth], -1).double()
    field = FlowField()
    for j in range(FRAMES):
        if j == MIDDLE:
            continue
        moved = points + (j - MIDDLE) * mover[..., None] * torch.tensor(velocity).double()
        seen = moved @ viewmats[j, :3, :3].T + viewmats[j, :3, 3]
        u, v = F * seen[..., 0] / seen[..., 2] + W / 2, F * seen[..., 1] / seen[..., 2] + H / 2
        field.flow[MIDDLE, j] = torch.stack([u - x, v - y], -1).float().numpy()
        field.confidence[MIDDLE, j] = np.ones((H, W), np.float32)
    views = gather_views(field, MIDDLE, viewmats, F)
    assert views is not None
    return views


def box() -> torch.Tensor:
    """A thing that stands on the floor where this is 2.5 away (image row 64 / 2 + 80 / 2.5 = 64 is the lower edge)."""
    mask = torch.zeros(H, W, dtype=torch.bool)
    mask[25:55, 40:60] = True
    return mask
