"""A scene small enough for unit tests: random frames and Gaussians, cameras that turn a little."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.gaussians import layers
from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.plugin.datamanager import NeoVerseDataManager, NeoVerseDataManagerConfig
from neoverse_ns.plugin.dataparser import SCENE_KEY, NeoVerseDataParserConfig, SceneHandle
from neoverse_ns.plugin.model import NeoVerseModel
from neoverse_ns.plugin.model_config import NeoVerseModelConfig
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.scene import Scene
from neoverse_ns.reconstruct.split import split_frames
from neoverse_ns.reconstruct.store import save_scene

FRAMES, HEIGHT, WIDTH = 9, 32, 48
GAUSSIANS = 400


def tiny_gaussians(count: int = GAUSSIANS, seed: int = 0) -> DynamicGaussians:
    """Gaussians before the first camera, of five keyframes; every fourth is constant."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    keyframe = torch.arange(count) % 5
    at = keyframe / 4
    depth = 0.7 + torch.rand(count, generator=generator)
    return DynamicGaussians(
        means=torch.stack([0.5 * normal(count) * depth, 0.35 * normal(count) * depth, depth], dim=-1),
        quats=normal(count, 4),
        log_scales=0.3 * normal(count, 3) - 3,
        opacity_logits=normal(count) + 1,
        sh=normal(count, 1, 3),
        keyframe=keyframe,
        interval=torch.stack([at - 0.25, at, at + 0.25], dim=-1),
        velocities=0.02 * normal(count, 2, 3),
        angular_velocities=0.1 * normal(count, 2, 3),
        life_span_logits=normal(count) + 1,
        dynamic=torch.arange(count) % 4 != 0,
    )


def tiny_cameras(count: int = FRAMES) -> PinholeCameras:
    """The first is the world; the others drift and turn. The principal point is off-centre, focal lengths differ."""
    steps = torch.arange(count, dtype=torch.float32)[:, None]
    c2w = se3_exp(steps * torch.tensor([0.02, -0.01, 0.015, 0.01, 0.02, -0.005]))
    K = torch.tensor([[40.0, 0.0, 23.0], [0.0, 42.0, 17.5], [0.0, 0.0, 1.0]]).repeat(count, 1, 1)
    return PinholeCameras(c2w, K, WIDTH, HEIGHT)


def tiny_scene(frames: int = FRAMES, held_out_every: int = 4, seed: int = 0) -> Scene:
    """Noise as frames; with the defaults frames 2 and 6 are held out."""
    generator = torch.Generator().manual_seed(seed)
    split = split_frames(frames, None, held_out_every)
    keyframes = len(split.keyframes)
    clip = Clip(
        frames=torch.randint(0, 256, (frames, HEIGHT, WIDTH, 3), generator=generator, dtype=torch.uint8),
        frame_indices=torch.arange(frames) * 3 + 7,
        seconds=torch.arange(frames, dtype=torch.float64) * 0.1,
        source=Path("clip.mp4"),
    )
    geometry = SceneGeometry(
        cameras=tiny_cameras(frames),
        keyframes=split.keyframes,
        depth=0.8 + 0.4 * torch.rand(keyframes, HEIGHT, WIDTH, generator=generator),
        confidence=torch.rand(keyframes, HEIGHT, WIDTH, generator=generator),
        dynamic=torch.rand(keyframes, HEIGHT, WIDTH, generator=generator) < 0.2,
        report={"kind": "moving", "seconds": {"decode": 0.5}},
    )
    held_out_dynamic = torch.rand(len(split.held_out), HEIGHT, WIDTH, generator=generator) < 0.3
    gaussians = LayeredGaussians({layers.FRAMES: tiny_gaussians(seed=seed)})
    return Scene(clip, split, geometry, gaussians, held_out_dynamic)


def tiny_model(scene: Scene | None = None, **changes: Any) -> NeoVerseModel:
    """The plugin's model of a scene, in evaluation mode."""
    scene = scene or tiny_scene()
    config = NeoVerseModelConfig(**changes)
    metadata = {SCENE_KEY: SceneHandle(scene)}
    model = config.setup(scene_box=None, num_train_data=len(scene.split.train), metadata=metadata, device="cpu")
    model.eval()
    return model


def tiny_datamanager(folder: Path, scene: Scene | None = None, **arguments: Any) -> NeoVerseDataManager:
    """The plugin's data manager of a scene that it reads from a run folder."""
    save_scene(scene or tiny_scene(), folder / "scene")
    parser = NeoVerseDataParserConfig(scene_dir=folder / "scene")
    return NeoVerseDataManagerConfig(dataparser=parser).setup(device="cpu", **arguments)
