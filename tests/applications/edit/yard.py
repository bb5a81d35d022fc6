"""A red square that passes before a wall of waves, seen by a camera that moves a little: all of it known exactly."""

from __future__ import annotations

from pathlib import Path

import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.gaussians.dynamic import SH_C0, DynamicGaussians, concatenate
from neoverse_ns.gaussians.layers import BACKGROUND, FRAMES, LayeredGaussians
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import unproject
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.scene import Scene
from neoverse_ns.reconstruct.split import FrameSplit

WIDTH, HEIGHT, COUNT = 64, 40, 5
SQUARE, WALL = 1.0, 2.0
"""Their z."""
HALF = 0.14
"""Half the square's side."""
KEYFRAMES = [0, 2, 4]
RED = (0.8, 0.1, 0.1)


def way(time: float) -> float:
    """x of the square's middle."""
    return -0.25 + 0.4 * time


def cameras() -> PinholeCameras:
    c2w = torch.eye(4).repeat(COUNT, 1, 1)
    c2w[:, 0, 3] = 0.01 * torch.arange(COUNT)
    K = torch.tensor([[0.9 * WIDTH, 0.0, WIDTH / 2], [0.0, 0.9 * WIDTH, HEIGHT / 2], [0.0, 0.0, 1.0]])
    return PinholeCameras(c2w, K.repeat(COUNT, 1, 1), WIDTH, HEIGHT)


def wall_colours(points: torch.Tensor) -> torch.Tensor:
    x, y = points[..., 0], points[..., 1]
    return 0.5 + 0.25 * torch.stack([0 * x, torch.sin(4 * x) * 0.5, torch.cos(4 * y + x)], dim=-1)


def picture(frame: int, middles: tuple[tuple[float, float], ...]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Colours [h, w, 3], depth [h, w] and which pixels show a square at one of `middles`, exact at pixel centres."""
    camera = cameras()[[frame]]
    near = unproject(torch.full((HEIGHT, WIDTH), SQUARE), camera.K[0], camera.c2w[0])
    far = unproject(torch.full((HEIGHT, WIDTH), WALL), camera.K[0], camera.c2w[0])
    hit = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
    for x, y in middles:
        hit |= ((near[..., 0] - x).abs() < HALF) & ((near[..., 1] - y).abs() < HALF)
    rgb = torch.where(hit[..., None], torch.tensor(RED), wall_colours(far))
    return rgb, torch.where(hit, SQUARE, WALL), hit


def times() -> torch.Tensor:
    return torch.linspace(0, 1, COUNT)


def frames_of(offset: tuple[float, float] | None = (0.0, 0.0), also: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    """Every frame [n, h, w, 3] and its square [n, h, w], with the square moved by `offset`, doubled, or left out."""
    pictures = []
    for frame, time in enumerate(times().tolist()):
        own = ((way(time), 0.0),) if offset == (0.0, 0.0) or also else ()
        moved = () if offset is None or offset == (0.0, 0.0) else ((way(time) + offset[0], offset[1]),)
        pictures.append(picture(frame, own + moved))
    return torch.stack([p[0] for p in pictures]), torch.stack([p[2] for p in pictures])


def yard() -> ExportScene:
    """The scene as a reconstruction would give it, without its errors: one Gaussian per pixel of each keyframe."""
    when, parts = times(), []
    gap = float(when[KEYFRAMES[1]])
    for number, frame in enumerate(KEYFRAMES):
        at = float(when[frame])
        rgb, depth, hit = picture(frame, ((way(at), 0.0),))
        camera = cameras()[[frame]]
        points = unproject(depth, camera.K[0], camera.c2w[0])
        rows = _pixels(points, depth, rgb, number, (at - gap, at, at + gap))
        step = torch.tensor([way(at + gap) - way(at), 0.0, 0.0]) * hit.reshape(-1, 1)
        parts.append(rows.with_(velocities=torch.stack([step, -step], dim=1)))
    whole = unproject(torch.full((HEIGHT, WIDTH), WALL), cameras().K[2], cameras().c2w[2])
    behind = _pixels(whole, torch.full((HEIGHT, WIDTH), WALL), wall_colours(whole), 0, (0.0, 0.5, 1.0))
    behind = behind.with_(dynamic=torch.zeros(len(behind), dtype=torch.bool))
    gaussians = LayeredGaussians({FRAMES: concatenate(parts), BACKGROUND: behind})
    images, squares = frames_of()
    clip = Clip((images * 255).round().to(torch.uint8), torch.arange(COUNT) * 2, when.double() * 0.5, Path("yard.mp4"))
    geometry = SceneGeometry(
        cameras(),
        KEYFRAMES,
        torch.stack([picture(f, ((way(float(when[f])), 0.0),))[1] for f in KEYFRAMES]),
        torch.ones(len(KEYFRAMES), HEIGHT, WIDTH),
        squares[KEYFRAMES],
        {"reconstructor": "bundle"},
        squares[KEYFRAMES].to(torch.int32),
    )
    split = FrameSplit([0, 1, 2, 4], [3], KEYFRAMES)
    scene = Scene(clip, split, geometry, gaussians, squares[[3]])
    return ExportScene(gaussians, cameras(), clip.times, clip.seconds, source=scene)


def _pixels(
    points: torch.Tensor, depth: torch.Tensor, rgb: torch.Tensor, number: int, interval: tuple[float, float, float]
) -> DynamicGaussians:
    count = depth.numel()
    return DynamicGaussians(
        means=points.reshape(-1, 3),
        quats=torch.tensor([1.0, 0.0, 0.0, 0.0]).repeat(count, 1),
        log_scales=(0.5 * depth.reshape(-1, 1) / (0.9 * WIDTH)).log().repeat(1, 3),
        opacity_logits=torch.full((count,), 4.0),
        sh=((rgb.reshape(-1, 3) - 0.5) / SH_C0)[:, None],
        keyframe=torch.full((count,), number),
        interval=torch.tensor(interval).repeat(count, 1),
        velocities=torch.zeros(count, 2, 3),
        angular_velocities=torch.zeros(count, 2, 3),
        life_span_logits=torch.full((count,), 3.0),
        dynamic=torch.ones(count, dtype=torch.bool),
    )
