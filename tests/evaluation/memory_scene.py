"""A benchmark scene in memory: a moving camera "0" and a second one "1", in a world of their own, with masks."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from neoverse_ns.evaluation.data.scene import BenchmarkFrame, BenchmarkPixels, BenchmarkScene, Known
from neoverse_ns.evaluation.protocol.protocol import Cameras, Choice, Protocol
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.se3 import so3_exp
from tests.reconstruct.bundle.scenes import path, room_clip

WORLD = Sim3(
    torch.tensor(3.0, dtype=torch.float64),
    so3_exp(torch.tensor([-0.5, 0.8, 0.2], dtype=torch.float64)),
    torch.tensor([10.0, -4.0, 7.0], dtype=torch.float64),
)
"""The data set's world, which is nobody else's."""
FOCAL = 0.8


class MemoryScene(BenchmarkScene):
    """Pictures that are held, with a list of what was read."""

    def __init__(self, pictures: dict[str, Tensor], frames: list[BenchmarkFrame], masks: dict[str, Tensor]) -> None:
        self.name, self.folder, self.frames = "room", Path("nowhere"), tuple(frames)
        self._pictures, self._masks = pictures, masks
        self.reads: list[str] = []

    def read(self, frame: BenchmarkFrame, *what: Known) -> BenchmarkPixels:
        self.reads.append(frame.name)
        masks = {kind: self._masks[f"{frame.name} {kind}"] for kind in what if f"{frame.name} {kind}" in self._masks}
        return BenchmarkPixels(self._pictures[frame.name] if not what or "rgb" in what else None, masks=masks)

    def camera(self, name: str) -> list[BenchmarkFrame]:
        return [frame for frame in self.frames if frame.camera == name]


def room_scene(frames: int = 6, width: int = 96, height: int = 64, move: float = 0.08) -> MemoryScene:
    """A room seen by a camera that walks, and by another a little to its right, at the same times."""
    left = path(frames, move=move)
    right = left.clone()
    right[:, :3, 3] += 0.1 * left[:, :3, 0]
    pictures, found, masks = {}, [], {}
    K = torch.tensor([[FOCAL * width, 0, width / 2], [0, FOCAL * width, height / 2], [0, 0, 1]], dtype=torch.float64)
    for camera, c2w in (("0", left), ("1", right)):
        clip, _ = room_clip(c2w, FOCAL, height, width)
        for time in range(frames):
            name = f"{camera}/{time:03d}.png"
            pictures[name] = clip.frames[time]
            placed = WORLD.apply_c2w(c2w[time])
            found.append(BenchmarkFrame(name, camera, time, time / 10, width, height, K, placed))
            masks[f"{name} covis"] = torch.arange(width).expand(height, width) >= width // 4
    return MemoryScene(pictures, found, masks)


def even_to_odd(scene: BenchmarkScene) -> Choice:
    """Every second frame of camera 0 is shown, those between are judged by."""
    own = [frame for frame in scene.frames if frame.camera == "0"]
    last = len(own) - 1 if len(own) % 2 else len(own) - 2
    return Choice(tuple(own[::2]), tuple(own[1 : last + 1 : 2]))


def to_second(scene: BenchmarkScene) -> Choice:
    """Camera 0 is shown, camera 1 judged by."""
    return Choice(
        tuple(frame for frame in scene.frames if frame.camera == "0"),
        tuple(frame for frame in scene.frames if frame.camera == "1"),
    )


def protocol(
    cameras: Cameras = "sim3-context",
    tto: int = 0,
    mask: str = "plain",
    size: str = "1x",
    metrics: tuple[str, ...] = ("psnr", "ssim-sk11"),
) -> Protocol:
    """A protocol for tests."""
    return Protocol(
        alias="room-test@1",
        kind="views",
        data="memory",
        label="room-1",
        scenes=None,
        frames="t0:2>t1:2",
        rule=even_to_odd,
        cameras=cameras,
        metrics=metrics,
        tto=tto,
        mask=mask,
        size=size,
    )
