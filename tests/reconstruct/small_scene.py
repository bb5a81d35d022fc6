"""A scene small enough to build in a test without reconstructing anything."""

from __future__ import annotations

from pathlib import Path

import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.gaussians.layers import FRAMES, LayeredGaussians
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.bundle.lifting.keyframe_lift import LiftConfig, Lifted, lift
from neoverse_ns.reconstruct.bundle.lifting.scene_flow import KeyframeFlow
from neoverse_ns.reconstruct.scene import Scene
from neoverse_ns.reconstruct.split import split_frames


def sideways_cameras(count: int, width: int, height: int, step: float = 0.05) -> PinholeCameras:
    """Cameras that move to the right without turning."""
    c2w = torch.eye(4).repeat(count, 1, 1)
    c2w[:, 0, 3] = step * torch.arange(count)
    K = torch.tensor([[0.8 * width, 0.0, width / 2], [0.0, 0.8 * width, height / 2], [0.0, 0.0, 1.0]])
    return PinholeCameras(c2w, K.repeat(count, 1, 1), width, height)


def small_scene(
    count: int = 9,
    width: int = 32,
    height: int = 16,
    with_gaussians: bool = True,
    image: torch.Tensor | None = None,
    step: float = 0.05,
) -> Scene:
    """Noise (or `image`, in every frame) on a wall at depth 1, with sideways cameras, held-out frame, exact flow."""
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, (count, height, width, 3), generator=generator, dtype=torch.uint8)
    clip = Clip(
        frames=noise if image is None else image.expand(count, -1, -1, -1).contiguous(),
        frame_indices=torch.arange(count) * 2,
        seconds=torch.arange(count, dtype=torch.float64) / 8,
        source=Path("clip.mp4"),
    )
    split = split_frames(count)
    cameras = sideways_cameras(count, width, height, step)
    shape = (len(split.keyframes), height, width)
    dynamic = torch.zeros(shape, dtype=torch.bool)
    dynamic[:, 4:8, 4:8] = True
    geometry = SceneGeometry(
        cameras, split.keyframes, torch.ones(shape), torch.ones(shape), dynamic, {"kind": "parallax"}
    )
    flows = {}
    for a in split.keyframes:
        for b in split.keyframes:
            flow = torch.zeros(height, width, 2)
            flow[..., 0] = (cameras.c2w[a, 0, 3] - cameras.c2w[b, 0, 3]) * cameras.K[0, 0, 0]
            flows[a, b] = KeyframeFlow(flow, torch.ones(height, width))
    gaussians = (
        LayeredGaussians({FRAMES: lift(clip, geometry, flows, LiftConfig()).gaussians}) if with_gaussians else None
    )
    held_out_dynamic = torch.zeros(len(split.held_out), height, width, dtype=torch.bool)
    return Scene(clip, split, geometry, gaussians, held_out_dynamic)


def all_pixels(scene: Scene) -> Lifted:
    """The scene's own Gaussians as lifting gives them: one for every pixel."""
    assert scene.gaussians is not None
    return Lifted(scene.gaussians.frames, torch.ones_like(scene.geometry.dynamic))
