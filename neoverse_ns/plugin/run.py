"""A finished run, opened for drawing outside the ns-* commands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from nerfstudio.utils.eval_utils import eval_setup
from torch import Tensor

from neoverse_ns.errors import RunError
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.plugin.datamanager import NeoVerseDataManager
from neoverse_ns.plugin.dataparser import NeoVerseDataParser
from neoverse_ns.plugin.model import NeoVerseModel
from neoverse_ns.plugin.world import to_nerfstudio_cameras
from neoverse_ns.rasterize.scene import draw
from neoverse_ns.reconstruct.scene import Scene


@dataclass(frozen=True)
class Run:
    """A trained scene; its world is nerfstudio's, its axes OpenCV's.

    Attributes:
        model: The trained model, in evaluation mode.
        scene: What it was trained from.
        cameras: Refined cameras of all sampled frames.
    """

    model: NeoVerseModel
    scene: Scene
    cameras: PinholeCameras

    @torch.no_grad()
    def draw(self, views: PinholeCameras, times: Float[Tensor, " n"]) -> UInt8[Tensor, "n h w 3"]:
        """Draw one picture per camera, each at its own normalised time."""
        device, config = self.model.device, self.model.config
        images = []
        for i, moment in enumerate(times.tolist()):
            view = views[i : i + 1]
            drawing = draw(
                self.model.gaussians,
                moment,
                view.viewmats.to(device),
                view.K.to(device),
                view.width,
                view.height,
                nearest_only=config.nearest_keyframe_only,
                gamma=config.life_span_gamma,
                rasterize_mode=config.rasterize_mode,
            )
            images.append((drawing.rgb[0].clamp(0, 1) * 255).round().to(torch.uint8).cpu())
        return torch.stack(images)


def open_run(config_path: Path) -> Run:
    """Load the newest checkpoint of a run.

    Args:
        config_path: The run's config.yml.

    Raises:
        RunError: It is another method's run, or missing.
    """
    if not config_path.is_file():
        raise RunError(f"no such run: {config_path}; give the config.yml that ns-train wrote")
    _, pipeline, _, _ = eval_setup(config_path, test_mode="test")
    model, manager = pipeline.model, pipeline.datamanager
    if not isinstance(model, NeoVerseModel) or not isinstance(manager, NeoVerseDataManager):
        raise RunError(f"{config_path} is not a run of a neoverse method")
    assert isinstance(manager.dataparser, NeoVerseDataParser)
    scene = manager.dataparser.scene
    cameras = scene.geometry.cameras
    every = to_nerfstudio_cameras(cameras, scene.clip.times, list(range(len(cameras))))
    with torch.no_grad():
        viewmats = model.camera_optimizer.refined_viewmats(every.to(model.device)).cpu()
    return Run(model, scene, PinholeCameras(torch.linalg.inv(viewmats), cameras.K, cameras.width, cameras.height))
