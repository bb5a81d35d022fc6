"""A run's clip and Gaussians as refiners take them."""

from __future__ import annotations

import torch

from neoverse_ns.gaussians.transform import transform_layers
from neoverse_ns.generate.source_scene import SourceScene
from neoverse_ns.generate.stage.training_frames import training_source
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.plugin.model import NeoVerseModel
from neoverse_ns.plugin.world import nerfstudio_to_world, to_nerfstudio_cameras
from neoverse_ns.reconstruct.scene import Scene


@torch.no_grad()
def refined_cameras(model: NeoVerseModel, scene: Scene) -> PinholeCameras:
    """Cameras of all sampled frames as the run has refined them, in nerfstudio's world with OpenCV axes, on the CPU."""
    cameras = scene.geometry.cameras
    everything = to_nerfstudio_cameras(cameras, scene.clip.times, list(range(len(cameras))))
    viewmats = model.camera_optimizer.refined_viewmats(everything.to(model.device)).cpu()
    return PinholeCameras(torch.linalg.inv(viewmats), cameras.K, cameras.width, cameras.height)


def run_source(model: NeoVerseModel, scene: Scene) -> SourceScene:
    """Training frames, refined cameras and Gaussians as they stand, in this package's world: the first camera's.

    Refiners see directions in that world, as the released one does.
    """
    back = nerfstudio_to_world()
    cameras = refined_cameras(model, scene)
    there = PinholeCameras(back.apply_c2w(cameras.c2w), cameras.K, cameras.width, cameras.height)
    return training_source(scene.clip, scene.split, there, transform_layers(model.gaussians.detach(), back))
