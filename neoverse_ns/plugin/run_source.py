"""A run's clip and Gaussians as refiners and exporters take them."""

from __future__ import annotations

from neoverse_ns.export.scene import ExportScene
from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.gaussians.transform import transform_layers
from neoverse_ns.generate.source_scene import SourceScene
from neoverse_ns.generate.stage.training_frames import training_source
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.plugin.model import NeoVerseModel
from neoverse_ns.plugin.world import nerfstudio_to_world
from neoverse_ns.reconstruct.base import network_unit
from neoverse_ns.reconstruct.scene import Scene


def refined_cameras(model: NeoVerseModel, scene: Scene) -> PinholeCameras:
    """Cameras of all sampled frames as the run has refined them, in nerfstudio's world with OpenCV axes, on the CPU."""
    return model.camera_optimizer.refined(scene.geometry.cameras, scene.clip.times)


def run_source(model: NeoVerseModel, scene: Scene) -> SourceScene:
    """Training frames, refined cameras and Gaussians as they stand, in this package's world: the first camera's.

    Refiners see directions in that world, as the released one does.
    """
    cameras, gaussians = _in_our_world(model, scene)
    unit = network_unit(scene.geometry.report)
    return training_source(scene.clip, scene.split, scene.geometry.keyframes, cameras, gaussians, unit)


def export_scene(model: NeoVerseModel, scene: Scene) -> ExportScene:
    """Gaussians and refined cameras as they stand, in this package's world: the first camera's."""
    cameras, gaussians = _in_our_world(model, scene)
    clip = scene.clip
    return ExportScene(gaussians, cameras, clip.times, clip.seconds, model.config.draw_options, scene)


def _in_our_world(model: NeoVerseModel, scene: Scene) -> tuple[PinholeCameras, LayeredGaussians]:
    back = nerfstudio_to_world()
    cameras = refined_cameras(model, scene)
    there = PinholeCameras(back.apply_c2w(cameras.c2w), cameras.K, cameras.width, cameras.height)
    return there, transform_layers(model.gaussians.detach(), back)
