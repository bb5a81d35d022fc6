"""Points moved to where their observations want them, with the cameras as they are."""

from __future__ import annotations

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from neoverse_ns.geometry.cameras import PinholeCameras

STEPS = 4
"""Of Gauss and Newton; the start is good."""
PIXEL = 0.3
"""Standard deviation in pixels of an observation."""
DEPTH = 0.03
"""Relative standard deviation of the depth that a point came with: frames from almost one place do not tell it."""
ROBUST = 0.5
"""Error in pixels from which an observation pulls no stronger (Huber)."""


def adjust_points(
    points: Float64[Tensor, "p 3"],
    origins: Float64[Tensor, "p 3"],
    cameras: PinholeCameras,
    point: Int64[Tensor, " m"],
    frame: Int64[Tensor, " m"],
    uv: Float64[Tensor, "m 2"],
) -> Float64[Tensor, "p 3"]:
    """Least squares over the observations and the depth that each point came with.

    Args:
        points: Where they are thought to be.
        origins: Centre of the camera that each was lifted from.
        cameras: One per frame.
        point: Of every observation, which point is seen.
        frame: In which frame.
        uv: Where, in pixels.
    """
    ray = points - origins
    # Distance times relative deviation, in units that make an observation's deviation one pixel.
    hold = (PIXEL / (DEPTH * ray.norm(dim=-1))) ** 2
    ray = torch.nn.functional.normalize(ray, dim=-1)
    prior = hold[:, None, None] * ray[:, :, None] * ray[:, None, :]
    moved = points
    for _ in range(STEPS):
        error, slope = _errors(moved, cameras, point, frame, uv)
        weight = (ROBUST / error.norm(dim=-1).clamp_min(ROBUST))[:, None, None]
        normal = prior.clone().index_add_(0, point, weight * slope.mT @ slope)
        pull = prior @ (moved - points)[..., None]
        pull.index_add_(0, point, weight * slope.mT @ error[..., None])
        # A point that is seen from one place alone has nothing but its ray, which the prior holds.
        ridge = 1e-9 * normal.diagonal(dim1=-2, dim2=-1).sum(-1)[:, None, None] * torch.eye(3, dtype=torch.float64)
        moved = moved - torch.linalg.solve(normal + ridge, pull)[..., 0]
    return moved


def reprojection_errors(
    points: Float64[Tensor, "p 3"],
    cameras: PinholeCameras,
    point: Int64[Tensor, " m"],
    frame: Int64[Tensor, " m"],
    uv: Float64[Tensor, "m 2"],
) -> Float64[Tensor, " m"]:
    """Distance in pixels between observations and projections; infinite behind a camera."""
    seen = _in_camera(points, cameras, point, frame)
    error = _errors(points, cameras, point, frame, uv)[0].norm(dim=-1)
    return torch.where(seen[:, 2] > 0, error, torch.inf)


def _in_camera(
    points: Float64[Tensor, "p 3"], cameras: PinholeCameras, point: Int64[Tensor, " m"], frame: Int64[Tensor, " m"]
) -> Float64[Tensor, "m 3"]:
    views = cameras.viewmats.to(torch.float64)[frame]
    return (views[:, :3, :3] @ points[point, :, None])[..., 0] + views[:, :3, 3]


def _errors(
    points: Float64[Tensor, "p 3"],
    cameras: PinholeCameras,
    point: Int64[Tensor, " m"],
    frame: Int64[Tensor, " m"],
    uv: Float64[Tensor, "m 2"],
) -> tuple[Float64[Tensor, "m 2"], Float64[Tensor, "m 2 3"]]:
    """Projection less observation, and its derivative by the point."""
    x, y, z = _in_camera(points, cameras, point, frame).unbind(-1)
    z = torch.where(z.abs() < 1e-9, 1e-9, z)
    K = cameras.K.to(torch.float64)[frame]
    fx, fy, zero = K[:, 0, 0], K[:, 1, 1], torch.zeros_like(z)
    error = torch.stack([fx * x / z + K[:, 0, 2], fy * y / z + K[:, 1, 2]], -1) - uv
    across, down = [fx / z, zero, -fx * x / z**2], [zero, fy / z, -fy * y / z**2]
    slope = torch.stack([torch.stack(across, -1), torch.stack(down, -1)], 1)
    return error, slope @ torch.linalg.inv(cameras.c2w.to(torch.float64))[frame][:, :3, :3]
