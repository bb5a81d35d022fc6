"""Timing a camera path through a 4D scene: a million Gaussians, a fifth of them alive at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.console import progress
from neoverse_ns.gaussians.dynamic import DynamicGaussians, concatenate
from neoverse_ns.gaussians.layers import BACKGROUND, FRAMES, LayeredGaussians
from neoverse_ns.gaussians.transition import at_time
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import unproject
from neoverse_ns.rasterize.layers import draw_layers

KEYFRAMES = 11
"""Those of the default 25 frames."""
FRAME_RATE = 24.0


@dataclass(frozen=True)
class PathTiming:
    """Milliseconds a frame, and how many Gaussians that was for.

    Attributes:
        frames: Length of the path.
        gaussians: Of the whole clip.
        alive: Mean number drawn at a time.
        transition_ms: Median time to select and move those, front and background together.
        frame_ms: Median time of a whole frame.
        total_s: All frames.
        cpu_s: The same in processor time of all threads; with one thread it does not depend on what else is running.
    """

    frames: int
    gaussians: int
    alive: float
    transition_ms: float
    frame_ms: float
    total_s: float
    cpu_s: float

    @property
    def real_time(self) -> float:
        """Seconds that the path lasts when played over the seconds that drawing took; above 1 is real time."""
        return self.frames / FRAME_RATE / self.total_s


def path_scene(width: int, height: int) -> LayeredGaussians:
    """What a short training leaves: one Gaussian per pixel of 11 keyframes, and a background of one more picture."""
    random = torch.Generator().manual_seed(0)
    K = path_cameras(1, width, height).K[0]
    own = [_keyframe(number, width, height, K, random) for number in range(KEYFRAMES)]
    behind = _keyframe(0, width, height, K, random)
    constant = behind.with_(dynamic=torch.zeros_like(behind.dynamic))
    return LayeredGaussians({FRAMES: concatenate(own), BACKGROUND: constant})


def _keyframe(
    number: int, width: int, height: int, K: Float[Tensor, "3 3"], random: torch.Generator
) -> DynamicGaussians:
    count = width * height

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=random)

    across = torch.arange(width) / width + 0.1 * number
    depth = 1 + 0.3 * torch.sin(4 * across) + 0.2 * torch.cos(torch.arange(height) / height * 5)[:, None]
    c2w = torch.eye(4)
    c2w[0, 3] = _aside(torch.tensor(number / (KEYFRAMES - 1)))
    gap = 1 / (KEYFRAMES - 1)
    interval = torch.tensor([number - 1, number, number + 1]) * gap
    return DynamicGaussians(
        means=unproject(depth, K, c2w).reshape(-1, 3),
        quats=torch.tensor([1.0, 0, 0, 0]) + 0.1 * normal(count, 4),
        log_scales=(0.4 * depth.reshape(-1, 1) / K[0, 0]).log() + 0.2 * normal(count, 3),
        opacity_logits=2 + 0.5 * normal(count),
        sh=normal(count, 1, 3),
        keyframe=torch.full((count,), number, dtype=torch.int64),
        interval=interval.expand(count, 3).contiguous(),
        velocities=0.01 * normal(count, 2, 3),
        angular_velocities=0.05 * normal(count, 2, 3),
        life_span_logits=2.2 + 0.5 * normal(count),
        dynamic=torch.ones(count, dtype=torch.bool),
    )


def _aside(moment: Tensor) -> Tensor:
    return 0.2 * moment


def path_cameras(frames: int, width: int, height: int) -> PinholeCameras:
    """A path beside the clip's own, swinging by 5 % of the median depth."""
    moments = torch.linspace(0, 1, frames)
    c2w = torch.eye(4).repeat(frames, 1, 1)
    c2w[:, 0, 3] = _aside(moments) + 0.05 * torch.sin(2 * math.pi * moments)
    K = torch.tensor([[0.9 * width, 0, width / 2], [0, 0.9 * width, height / 2], [0, 0, 1]])
    return PinholeCameras(c2w, K.repeat(frames, 1, 1), width, height)


@torch.no_grad()
def time_path(scene: LayeredGaussians, cameras: PinholeCameras) -> PathTiming:
    """Draw one frame per camera, playing the clip from its begin to its end."""
    moments = torch.linspace(0, 1, len(cameras)).tolist()
    viewmats, taken, moving, alive, used = cameras.viewmats, [], [], [], 0.0
    with progress("drawing a path", len(cameras)) as steps:
        for i, moment in enumerate(moments):
            frame = slice(i, i + 1)
            view = (viewmats[frame], cameras.K[frame], cameras.width, cameras.height)
            if i == 0:  # compiles the kernels where nothing has yet
                draw_layers(scene, moment, *view)
            before = time.process_time()
            taken.append(_seconds(lambda moment=moment, view=view: draw_layers(scene, moment, *view)))
            used += time.process_time() - before
            moving.append(_seconds(lambda moment=moment: [at_time(layer, moment) for layer in scene.values()]))
            alive.append(sum(len(at_time(layer, moment).index) for layer in scene.values()))
            steps.advance()
    return PathTiming(
        len(cameras),
        scene.count,
        sum(alive) / len(alive),
        1e3 * _median(moving),
        1e3 * _median(taken),
        sum(taken),
        used,
    )


def _seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _median(seconds: list[float]) -> float:
    return sorted(seconds)[len(seconds) // 2]


@torch.no_grad()
def time_long_clip(keyframes: int, width: int, height: int, repeats: int = 15) -> float:
    """Median milliseconds of a frame in the middle of a clip of many keyframes, of which two are alive there.

    The two are the same whatever their number: what else the clip holds shall cost nothing.
    """
    random = torch.Generator().manual_seed(0)
    camera = path_cameras(1, width, height)
    one, gap = _keyframe(0, width, height, camera.K[0], random), 1 / (keyframes - 1)
    times = gap * torch.arange(keyframes)
    interval = torch.stack([times - gap, times, times + gap], -1).repeat_interleave(len(one), 0)
    repeated = {name: value.repeat(keyframes, *[1] * (value.ndim - 1)) for name, value in one.tensors().items()}
    number = torch.arange(keyframes).repeat_interleave(len(one))
    scene = LayeredGaussians({FRAMES: DynamicGaussians(**repeated | {"interval": interval, "keyframe": number})})
    moment = (keyframes // 2 + 0.5) * gap
    view = (camera.viewmats, camera.K, width, height)
    draw_layers(scene, moment, *view)
    return 1e3 * _median([_seconds(lambda: draw_layers(scene, moment, *view)) for _ in range(repeats)])
