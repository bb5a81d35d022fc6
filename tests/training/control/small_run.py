"""Everything of a run, small: clips of a few frames, and scenes that take no time to make."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.write import write_video
from neoverse_ns.errors import ReconstructionError
from neoverse_ns.generate.degradation.settings import DegradationSettings
from neoverse_ns.generate.refiners.wan.config import WanSource
from neoverse_ns.generate.source_scene import SourceScene
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.scene import Scene
from neoverse_ns.training.control.config import ControlTrainingConfig
from neoverse_ns.training.control.scenes import SceneMaker
from tests.reconstruct.small_scene import small_scene

SMALL = DegradationSettings(kernel=(3, 5))
WIDTH, HEIGHT = 32, 16


@cache
def _wall() -> Scene:
    return small_scene(count=7, width=WIDTH, height=HEIGHT)


class WallScenes(SceneMaker):
    """The same wall before every clip's own frames; knows what it was asked.

    Args:
        refused: Names of clips that cannot be reconstructed.
    """

    def __init__(self, refused: frozenset[str] = frozenset()) -> None:
        self.refused = refused
        self.asked: list[tuple[str, int | None, int]] = []

    def scene(self, clip: Clip, keyframes: int | None) -> SourceScene:
        self.asked.append((clip.source.name, keyframes, int(clip.frame_indices[0])))
        if clip.source.name in self.refused:
            raise ReconstructionError(f"{clip.source.name}: nothing holds still")
        scene = _wall()
        return SourceScene.of(replace(scene, clip=replace(scene.clip, frames=clip.frames[:7])), scene.gaussians)


def write_clips(folder: Path, count: int, frames: int = 9, broken: frozenset[int] = frozenset()) -> Path:
    """`count` videos of noise that differ, those of the numbers in `broken` being none."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        generator = torch.Generator().manual_seed(number)
        coarse = torch.randint(0, 256, (frames, HEIGHT // 4, WIDTH // 4, 3), generator=generator, dtype=torch.uint8)
        video = coarse.repeat_interleave(4, 1).repeat_interleave(4, 2)
        path = folder / f"{number:03d}.mp4"
        if number in broken:
            path.write_bytes(b"no video")
        else:
            write_video(path, video, 8.0)
    return folder


def small_config(model: Path, **settings) -> ControlTrainingConfig:
    settings = {"learning_rate": 3e-3, "frames": 5, "context": (2, 4), "log_every": 5, "workers": 0, **settings}
    given = {
        "scene": SceneConfig(clip=ClipConfig(num_frames=7, spacing=1), held_out_every=0),
        "degradation": SMALL,
        "wan": WanSource(model=str(model), base=None),
    }
    return ControlTrainingConfig(device="cpu", **{**given, **settings})
