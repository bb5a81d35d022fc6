"""A wall seen by a clip of five frames, as a scene that can grow beyond the picture."""

from __future__ import annotations

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.generate.base import DEFAULT_PROMPT, Conditions, Refiner
from neoverse_ns.generate.source_scene import SourceScene
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.scene import Scene
from neoverse_ns.reconstruct.split import FrameSplit
from tests.generate.stage.wall import DEPTH, HEIGHT, WIDTH, wall, wall_cameras

PAINT = 1.0
"""Of everything that the painter invents, in all colours."""


class Painter(Refiner):
    """Paints what may be repainted white, and remembers what it was shown."""

    def __init__(self) -> None:
        self.sources: list[SourceScene] = []
        self.calls: list[Conditions] = []

    def adapt(self, source: SourceScene, seed: int = 0) -> None:
        self.sources.append(source)

    def refine(self, conditions: Conditions, prompt: str = DEFAULT_PROMPT, seed: int = 0) -> Float[Tensor, "n h w 3"]:
        self.calls.append(conditions)
        return torch.where(conditions.mask[..., None], conditions.rgb, torch.full_like(conditions.rgb, PAINT))


def walled_scene(count: int = 5) -> ExportScene:
    """The wall's Gaussians, with cameras that move a little to the right; a single frame is an image."""
    frames = torch.randint(0, 256, (count, HEIGHT, WIDTH, 3), dtype=torch.uint8, generator=_generator())
    clip = Clip(frames, torch.arange(count), torch.arange(count, dtype=torch.float64) / 8, Path("clip.mp4"))
    if count == 1:
        split = FrameSplit([0], [], [0])
    else:
        split = FrameSplit([i for i in range(count) if i != 2], [2], [0, count - 1])
    shape = (len(split.keyframes), HEIGHT, WIDTH)
    nothing = torch.zeros(shape, dtype=torch.bool)
    cameras = wall_cameras([0.02 * i for i in range(count)])
    geometry = SceneGeometry(cameras, split.keyframes, torch.full(shape, DEPTH), torch.ones(shape), nothing)
    gaussians = wall()
    held_out = torch.zeros(len(split.held_out), HEIGHT, WIDTH, dtype=torch.bool)
    scene = Scene(clip, split, geometry, gaussians, held_out)
    return ExportScene(gaussians, cameras, clip.times, clip.seconds, source=scene)


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(1)
