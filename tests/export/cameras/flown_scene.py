"""Cameras that fly, turn and zoom, with a lens off its middle and pixels that are not square."""

from __future__ import annotations

from dataclasses import replace

import torch

from neoverse_ns.export.scene import ExportScene
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import se3_exp
from tests.export.layered_scene import FRAME_COUNT, layered_scene

WIDTH, HEIGHT = 96, 64


def flown_scene(stretch: float = 1.1) -> ExportScene:
    """`stretch` is fy over fx."""
    i = torch.arange(FRAME_COUNT, dtype=torch.float64)
    zero = torch.zeros_like(i)
    # More than half a turn in all, so that quaternions change their sign.
    c2w = se3_exp(torch.stack([0.2 * i, -0.1 * i, 0.05 * i * i, 0.1 * i, 0.9 * i, zero], dim=1))
    K = torch.zeros(FRAME_COUNT, 3, 3, dtype=torch.float64)
    K[:, 0, 0] = 80 + 5 * i
    K[:, 1, 1] = stretch * K[:, 0, 0]
    K[:, 0, 2], K[:, 1, 2], K[:, 2, 2] = 41.0, 37.5, 1.0
    seconds = torch.tensor([2.0, 2.25, 2.5, 3.0, 3.25], dtype=torch.float64)
    times = ((seconds - 2) / 1.25).float()
    cameras = PinholeCameras(c2w, K, WIDTH, HEIGHT)
    return replace(layered_scene(), cameras=cameras, times=times, seconds=seconds)


def points_before(c2w: torch.Tensor) -> torch.Tensor:
    """World points [8, 3] that a camera has before it."""
    corners = torch.cartesian_prod(
        *[torch.tensor([-0.4, 0.3], dtype=torch.float64)] * 2, torch.tensor([1.0, 2.5]).double()
    )
    return corners @ c2w[:3, :3].double().T + c2w[:3, 3].double()


def pixels(points: torch.Tensor, c2w: torch.Tensor, K: torch.Tensor) -> torch.Tensor:
    """Where a camera sees them, [8, 2]."""
    seen = torch.linalg.solve(c2w[:3, :3].double(), (points - c2w[:3, 3].double()).T).T
    return torch.stack(
        [seen[:, 0] / seen[:, 2] * K[0, 0] + K[0, 2], seen[:, 1] / seen[:, 2] * K[1, 1] + K[1, 2]], dim=1
    )
