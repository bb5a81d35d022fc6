"""A scene in three layers, small enough to be calculated: a square before a wall, and a far field around both."""

from __future__ import annotations

from dataclasses import replace

import torch

from neoverse_ns.export.scene import ExportScene
from neoverse_ns.gaussians.dynamic import SH_C0, DynamicGaussians, concatenate, constant_gaussians
from neoverse_ns.gaussians.layers import BACKGROUND, FAR_FIELD, FRAMES, LayeredGaussians
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import unproject

WIDTH, HEIGHT, FRAME_COUNT = 96, 64, 5
FOCAL = 0.9 * WIDTH
SQUARE, WALL, FAR = 1.4, 2.0, 40.0
"""Depths in the world."""


def cameras() -> PinholeCameras:
    """They drift to the right without turning."""
    c2w = torch.eye(4).repeat(FRAME_COUNT, 1, 1)
    c2w[:, 0, 3] = 0.01 * torch.arange(FRAME_COUNT)
    K = torch.tensor([[FOCAL, 0.0, WIDTH / 2], [0.0, FOCAL, HEIGHT / 2], [0.0, 0.0, 1.0]])
    return PinholeCameras(c2w, K.repeat(FRAME_COUNT, 1, 1), WIDTH, HEIGHT)


def colours(points: torch.Tensor) -> torch.Tensor:
    """A smooth pattern, RGB in [0, 1]; the square is of another than the wall."""
    x, y, z = points.unbind(-1)
    pattern = torch.stack([torch.sin(9 * x), torch.cos(11 * y), torch.sin(7 * (x + y))], dim=-1)
    return 0.5 + torch.where(z < 1.7, -0.3, 0.2)[..., None] * pattern


def quats(count: int) -> torch.Tensor:
    return torch.tensor([1.0, 0.0, 0.0, 0.0]).repeat(count, 1)


def keyframe_layer(views: PinholeCameras, number: int, frame: int) -> DynamicGaussians:
    """What a keyframe sees, one opaque Gaussian a pixel, that moves and fades little toward its neighbours."""
    points = unproject(torch.full((HEIGHT, WIDTH), SQUARE), views.K[frame], views.c2w[frame])
    near = (points[..., 0].abs() < 0.3) & (points[..., 1].abs() < 0.25)
    depth = torch.where(near, SQUARE, WALL)
    means = unproject(depth, views.K[frame], views.c2w[frame]).reshape(-1, 3)
    at, gap, count = frame / (FRAME_COUNT - 1), 2 / (FRAME_COUNT - 1), len(means)
    return DynamicGaussians(
        means=means,
        quats=quats(count),
        log_scales=(0.6 * depth.reshape(-1, 1) / FOCAL).log().repeat(1, 3),
        opacity_logits=torch.full((count,), 4.0),
        sh=((colours(means) - 0.5) / SH_C0)[:, None],
        keyframe=torch.full((count,), number),
        interval=torch.tensor([at - gap, at, at + gap]).repeat(count, 1),
        velocities=torch.zeros(count, 2, 3),
        angular_velocities=torch.zeros(count, 2, 3),
        life_span_logits=torch.full((count,), 3.0),
        dynamic=torch.ones(count, dtype=torch.bool),
    )


def wall(generator: torch.Generator) -> DynamicGaussians:
    """The whole wall, fused: coarse, a little too dark, and as often before the keyframes' own as behind."""
    x, y = torch.meshgrid(torch.linspace(-2.4, 2.4, 160), torch.linspace(-1.5, 1.5, 100), indexing="ij")
    means = torch.stack([x, y, torch.full_like(x, WALL)], dim=-1).reshape(-1, 3)
    rgb = 0.8 * colours(means)
    means[:, 2] += 0.1 * torch.randn(len(means), generator=generator)
    return constant_gaussians(means, quats(len(means)), torch.full((len(means), 3), 0.02).log(), 0.95, rgb)


def far_field() -> DynamicGaussians:
    x, y = torch.meshgrid(torch.linspace(-40, 40, 40), torch.linspace(-40, 40, 40), indexing="ij")
    means = torch.stack([x, y, torch.full_like(x, FAR)], dim=-1).reshape(-1, 3)
    return constant_gaussians(means, quats(len(means)), torch.full((len(means), 3), 1.5).log(), 0.9, 0 * means + 0.6)


def layered_scene() -> ExportScene:
    """Three keyframes, a wall that goes on outside every view and behind the square, and a far field."""
    views = cameras()
    layers = {
        FRAMES: concatenate([keyframe_layer(views, number, frame) for number, frame in enumerate((0, 2, 4))]),
        BACKGROUND: wall(torch.Generator().manual_seed(0)),
        FAR_FIELD: far_field(),
    }
    times = torch.linspace(0, 1, FRAME_COUNT)
    return ExportScene(LayeredGaussians(layers), views, times, 2.0 + 0.5 * times.double())


def moving_scene() -> ExportScene:
    """The same, but the square goes to the right, a third of its width from keyframe to keyframe, and turns.

    Of neighbours, one is nearer by a little, so that files with rounded places show them in the same order.
    """
    scene = layered_scene()
    frames = scene.gaussians.frames
    centres = scene.cameras.c2w[2 * frames.keyframe, :3, 3]
    rough = 1 + 0.02 * torch.rand(len(frames), 1, generator=torch.Generator().manual_seed(1))
    frames = frames.with_(means=centres + rough * (frames.means - centres))
    square = frames.means[:, 2] < 1.7
    steps = torch.tensor([[0.2, 0.02, 0.0], [-0.2, -0.02, 0.0]]).expand(len(frames), 2, 3)
    turns = torch.tensor([[0.0, 0.0, 0.2], [0.0, 0.0, -0.2]]).expand(len(frames), 2, 3)
    # So that a turn shows.
    longer = frames.log_scales + torch.tensor([0.4, 0.0, 0.0])
    moved = frames.with_(
        # Where it stands at each keyframe follows from how it moves.
        means=frames.means + torch.where(square, frames.keyframe - 1.0, 0.0)[:, None] * steps[:, 0],
        log_scales=torch.where(square[:, None], longer, frames.log_scales),
        velocities=torch.where(square[:, None, None], steps, torch.zeros_like(steps)),
        angular_velocities=torch.where(square[:, None, None], turns, torch.zeros_like(turns)),
    )
    return replace(scene, gaussians=scene.gaussians.replaced(FRAMES, moved))
