"""Finished runs, loaded from their folders and drawn from any camera."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from nerfstudio.utils.eval_utils import eval_setup
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.errors import RunError
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.metrics.unseen_views import Draw
from neoverse_ns.plugin.datamanager import NeoVerseDataManager
from neoverse_ns.plugin.dataparser import NeoVerseDataParser
from neoverse_ns.plugin.model import NeoVerseModel
from neoverse_ns.plugin.world import to_nerfstudio_cameras
from neoverse_ns.rasterize.scene import draw
from neoverse_ns.reconstruct.split import FrameSplit


@dataclass(frozen=True)
class OpenRun:
    """A trained scene.

    Attributes:
        clip: The sampled frames.
        split: Which of them trained it.
        cameras: Refined cameras of all sampled frames, OpenCV axes, in nerfstudio's world.
        draw: Draws the scene from cameras of that world.
    """

    clip: Clip
    split: FrameSplit
    cameras: PinholeCameras
    draw: Draw


def open_run(config: Path) -> OpenRun:
    """Load a finished run of a neoverse method from its config.yml.

    Raises:
        RunError: It is missing, or another method's.
    """
    if not config.is_file():
        raise RunError(f"no such run: {config}; give the config.yml that ns-train wrote")
    _, pipeline, _, _ = eval_setup(config, test_mode="test")
    model, manager = pipeline.model, pipeline.datamanager
    if not isinstance(model, NeoVerseModel) or not isinstance(manager, NeoVerseDataManager):
        raise RunError(f"{config} is not a run of a neoverse method")
    parser = manager.dataparser
    assert isinstance(parser, NeoVerseDataParser)
    scene = parser.scene
    cameras = scene.geometry.cameras
    everything = to_nerfstudio_cameras(cameras, scene.clip.times, list(range(len(cameras))))
    with torch.no_grad():
        viewmats = model.camera_optimizer.refined_viewmats(everything.to(model.device)).cpu()
    refined = PinholeCameras(torch.linalg.inv(viewmats), cameras.K, cameras.width, cameras.height)

    @torch.no_grad()
    def draw_run(views: PinholeCameras, times: Float[Tensor, " n"]) -> UInt8[Tensor, "n h w 3"]:
        images = []
        for i, moment in enumerate(times.tolist()):
            view = views[i : i + 1]
            drawing = draw(
                model.gaussians,
                moment,
                view.viewmats.to(model.device),
                view.K.to(model.device),
                view.width,
                view.height,
                nearest_only=model.config.nearest_keyframe_only,
                gamma=model.config.life_span_gamma,
                rasterize_mode=model.config.rasterize_mode,
            )
            images.append((drawing.rgb[0].clamp(0, 1) * 255).round().to(torch.uint8).cpu())
        return torch.stack(images)

    return OpenRun(scene.clip, scene.split, refined, draw_run)
