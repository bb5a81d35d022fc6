"""A square before a wall: a scene in which it can be calculated what hides what."""

from __future__ import annotations

import torch

from neoverse_ns.gaussians.dynamic import SH_C0, DynamicGaussians, concatenate
from neoverse_ns.gaussians.layers import FRAMES, LayeredGaussians
from neoverse_ns.generate.source_scene import SourceScene
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import unproject

SQUARE, WALL = 1.0, 2.0
"""Their z in the world."""
HALF = 0.25
"""Half the square's side."""


def on_square(depth: torch.Tensor) -> torch.Tensor:
    """Which depths are the square's, for cameras that are not turned and within 0.2 of the origin."""
    return depth < 0.5 * (SQUARE + WALL)


def layered_depth(c2w: torch.Tensor, K: torch.Tensor, width: int, height: int) -> torch.Tensor:
    """Exact z-depth of an unturned camera in front of the square, [h, w]."""
    near = SQUARE - c2w[2, 3]
    touched = unproject(near.expand(height, width), K, c2w)
    hit = (touched[..., :2].abs() < HALF).all(dim=-1)
    return torch.where(hit, near, WALL - c2w[2, 3])


def colours_at(points: torch.Tensor) -> torch.Tensor:
    """Grey square on a wall of a smooth pattern, RGB in [0, 1]."""
    waves = torch.stack([torch.sin(3 * points[..., 0]), torch.cos(2 * points[..., 1]), points[..., 0]], dim=-1)
    return torch.where((points[..., 2:] < 1.5), torch.full_like(points, 0.5), 0.5 + 0.2 * waves.clamp(-1, 1))


def keyframe_gaussians(
    points: torch.Tensor, depth: torch.Tensor, focal: float, number: int, interval: tuple[float, float, float]
) -> DynamicGaussians:
    """One opaque, resting Gaussian per point, of a pixel's size."""
    points, depth = points.reshape(-1, 3), depth.reshape(-1, 1)
    count = len(points)
    return DynamicGaussians(
        means=points,
        quats=torch.tensor([1.0, 0.0, 0.0, 0.0]).repeat(count, 1),
        log_scales=(0.5 * depth / focal).log().repeat(1, 3),
        opacity_logits=torch.full((count,), 5.0),
        sh=((colours_at(points) - 0.5) / SH_C0)[:, None],
        keyframe=torch.full((count,), number),
        interval=torch.tensor(interval).repeat(count, 1),
        velocities=torch.zeros(count, 2, 3),
        angular_velocities=torch.zeros(count, 2, 3),
        life_span_logits=torch.full((count,), 5.0),
        dynamic=torch.ones(count, dtype=torch.bool),
    )


def layered_source(
    count: int = 3, width: int = 64, height: int = 40, step: tuple[float, float, float] = (0.0, 0.0, 0.02)
) -> SourceScene:
    """Cameras that move by `step` a frame; every second frame is a keyframe with a Gaussian per pixel."""
    c2w = torch.eye(4).repeat(count, 1, 1)
    c2w[:, :3, 3] = torch.arange(count)[:, None] * torch.tensor(step)
    focal = 0.9 * width
    K = torch.tensor([[focal, 0.0, width / 2], [0.0, focal, height / 2], [0.0, 0.0, 1.0]]).repeat(count, 1, 1)
    times = torch.linspace(0, 1, count) if count > 1 else torch.zeros(1)
    frames, parts = [], []
    keyframes = list(range(0, count, 2))
    gap = 2 / max(count - 1, 1)
    for frame in range(count):
        depth = layered_depth(c2w[frame], K[frame], width, height)
        points = unproject(depth, K[frame], c2w[frame])
        frames.append((255 * colours_at(points)).round().to(torch.uint8))
        if frame in keyframes:
            at = float(times[frame])
            parts.append(keyframe_gaussians(points, depth, focal, len(parts), (at - gap, at, at + gap)))
    cameras = PinholeCameras(c2w, K, width, height)
    gaussians = LayeredGaussians({FRAMES: concatenate(parts)})
    return SourceScene(torch.stack(frames), cameras, times, keyframes, gaussians)
