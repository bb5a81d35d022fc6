"""A wall of Gaussians, one per pixel of the camera that saw it."""

from __future__ import annotations

import math

import torch

from neoverse_ns.gaussians.dynamic import SH_C0, DynamicGaussians
from neoverse_ns.gaussians.layers import FRAMES, LayeredGaussians
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import unproject

WIDTH, HEIGHT, DEPTH = 48, 32, 2.0
COLOUR = (0.2, 0.6, 0.4)


def wall_cameras(shifts: list[float]) -> PinholeCameras:
    """Cameras that look at the wall from `shifts` to the right of where it was seen from."""
    c2w = torch.eye(4).repeat(len(shifts), 1, 1)
    c2w[:, 0, 3] = torch.tensor(shifts)
    K = torch.tensor([[50.0, 0.0, WIDTH / 2], [0.0, 50.0, HEIGHT / 2], [0.0, 0.0, 1.0]])
    return PinholeCameras(c2w, K.repeat(len(shifts), 1, 1), WIDTH, HEIGHT)


def wall() -> LayeredGaussians:
    """Constant Gaussians of one colour, facing the first camera, at depth 2."""
    camera = wall_cameras([0.0])
    means = unproject(torch.full((HEIGHT, WIDTH), DEPTH), camera.K[0], camera.c2w[0]).reshape(-1, 3)
    count = len(means)
    gaussians = DynamicGaussians(
        means=means,
        quats=torch.tensor([[1.0, 0.0, 0.0, 0.0]]).repeat(count, 1),
        log_scales=torch.full((count, 3), math.log(0.5 * DEPTH / 50)),
        opacity_logits=torch.full((count,), 4.0),
        sh=((torch.tensor(COLOUR) - 0.5) / SH_C0).expand(count, 1, 3).contiguous(),
        keyframe=torch.zeros(count, dtype=torch.int64),
        interval=torch.tensor([0.0, 0.5, 1.0]).repeat(count, 1),
        velocities=torch.zeros(count, 2, 3),
        angular_velocities=torch.zeros(count, 2, 3),
        life_span_logits=torch.zeros(count),
        dynamic=torch.zeros(count, dtype=torch.bool),
    )
    return LayeredGaussians({FRAMES: gaussians})
