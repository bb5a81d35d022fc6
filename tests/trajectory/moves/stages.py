"""A clip's cameras and a scene of which is known what moves."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.interpolation import interpolate_c2w
from neoverse_ns.geometry.projection import project
from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.trajectory.moves.stage import Stage
from neoverse_ns.trajectory.moves.subject import PointPath

WIDTH, HEIGHT, FOCAL = 64, 48, 60.0


@dataclass
class Known:
    """Answers as told."""

    depth: float = 2.0
    moves: PointPath | None = None
    picked: list[tuple[float, float, int]] = field(default_factory=list)

    def at_pixel(self, x: float, y: float, frame: int) -> PointPath:
        self.picked.append((x, y, frame))
        return PointPath.resting(torch.tensor([0.1, 0.0, 3.0]))

    def thing(self, number: int) -> PointPath:
        return PointPath.resting(torch.tensor([float(number), 0.0, 3.0]))

    def mover(self) -> PointPath | None:
        return self.moves

    def median_depth(self, frame: int) -> float:
        return self.depth


def intrinsics(count: int, focal: float = FOCAL) -> torch.Tensor:
    K = torch.tensor([[focal, 0, WIDTH / 2], [0, focal, HEIGHT / 2], [0, 0, 1]], dtype=torch.float64)
    return K.expand(count, 3, 3).clone()


def stage(count: int = 13, clip: int = 7, still: bool = False, known: Known | None = None, fps: float = 24.0) -> Stage:
    """A clip whose camera drifts and turns a little, or stands."""
    torch.manual_seed(3)
    twists = torch.zeros(clip, 6, dtype=torch.float64)
    if not still:
        twists = torch.cumsum(torch.randn(clip, 6, dtype=torch.float64) * 0.02, dim=0)
    twists[0] = 0
    c2w = se3_exp(twists)
    cameras = PinholeCameras(c2w, intrinsics(clip), WIDTH, HEIGHT)
    at = torch.linspace(0, clip - 1, count, dtype=torch.float64)
    base = PinholeCameras(interpolate_c2w(c2w, at), intrinsics(count), WIDTH, HEIGHT)
    seconds = torch.arange(count, dtype=torch.float64) / fps
    times = torch.linspace(0, 1, count, dtype=torch.float64)
    return Stage(base, times, seconds, cameras, torch.linspace(0, 1, clip, dtype=torch.float64), known)


def seen(cameras: PinholeCameras, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Pixels and depth of one point per camera."""
    uv, z = project(points[:, None], cameras.viewmats, cameras.K)
    return uv[:, 0], z[:, 0]


def line(start: tuple[float, float, float], end: tuple[float, float, float]) -> PointPath:
    """A point that goes straight from one place to another while the clip plays."""
    points = torch.tensor([start, end], dtype=torch.float64)
    return PointPath(torch.tensor([0.0, 1.0], dtype=torch.float64), points)
