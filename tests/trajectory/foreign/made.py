"""A clip's cameras, and the same cameras in a world and unit of their own."""

from __future__ import annotations

import torch

from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import se3_exp, so3_exp
from neoverse_ns.trajectory.clip_frames import ClipFrames

WIDTH, HEIGHT, FRAMES = 64, 40, 6
SIZE = (1280, 800)
"""Of the other program's pictures."""
THERE = Sim3(
    torch.tensor(13.0, dtype=torch.float64),
    so3_exp(torch.tensor([0.4, -1.1, 2.0], dtype=torch.float64)),
    torch.tensor([5.0, -40.0, 7.0], dtype=torch.float64),
)
"""From the clip's world to the other one."""


def clip_cameras() -> PinholeCameras:
    """They move, turn and zoom; their principal point is the middle."""
    steps = torch.arange(FRAMES, dtype=torch.float64)[:, None]
    twist = torch.tensor([0.1, -0.02, 0.05, 0.01, 0.03, -0.01], dtype=torch.float64)
    wave = 0.05 * torch.sin(steps * torch.tensor([1.0, 2.0, 0.5, 1.5, 0.7, 1.1], dtype=torch.float64))
    K = torch.tensor([[60.0, 0, WIDTH / 2], [0, 62.0, HEIGHT / 2], [0, 0, 1]], dtype=torch.float64).repeat(FRAMES, 1, 1)
    K[:, :2, :2] *= torch.linspace(1, 1.2, FRAMES, dtype=torch.float64)[:, None, None]
    return PinholeCameras(se3_exp(steps * twist + wave), K, WIDTH, HEIGHT)


def clip_times() -> torch.Tensor:
    return torch.linspace(0, 1, FRAMES)


def clip_frames(names: bool = False) -> ClipFrames:
    """Every third frame of a source at 10 per second, from its frame 4 on."""
    numbers = tuple(range(4, 4 + 3 * FRAMES, 3))
    seconds = torch.tensor(numbers, dtype=torch.float64) / 10
    return ClipFrames(seconds, numbers, tuple(f"walk{n}" for n in numbers) if names else None)


def elsewhere(focal: float = 1.03) -> PinholeCameras:
    """The clip's cameras as another program knows them: its own world, pictures and focal length."""
    own = clip_cameras()
    K = own.K.clone()
    K[:, :2] *= SIZE[1] / HEIGHT
    K[:, :2, :2] *= focal
    return PinholeCameras(THERE.apply_c2w(own.c2w), K, *SIZE)
