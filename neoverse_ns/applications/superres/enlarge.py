"""A whole clip enlarged: every frame with what its neighbours saw between its pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from neoverse_ns.applications.finish import finish
from neoverse_ns.applications.superres.config import SuperresConfig
from neoverse_ns.applications.superres.fuse import fuse
from neoverse_ns.applications.superres.guard import believed
from neoverse_ns.applications.superres.sizes import LargePicture, Picture, enlarged
from neoverse_ns.applications.superres.surfaces import Surfaces
from neoverse_ns.console import progress, say
from neoverse_ns.errors import RunError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.generate.base import Refiner
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.trajectory.trajectory import Trajectory


@dataclass(frozen=True)
class Enlarged:
    """A clip in more pixels.

    Attributes:
        frames: RGB in [0, 255], one per sampled frame.
        belief: Share of the detail found that was kept; 0 is bicubic, and 1 what a refiner painted.
        fps: The clip's own mean rate, where it has one.
    """

    frames: UInt8[Tensor, "n h w 3"]
    belief: float
    fps: float | None = None


def enlarge_clip(
    scene: ExportScene,
    config: SuperresConfig | None = None,
    refine: RefinerConfig | None = None,
    refiner: Refiner | None = None,
) -> Enlarged:
    """Enlarge all sampled frames of a clip.

    Every frame sees the world at another fraction of a pixel; the scene's cameras and depth say where. Their common
    larger picture reproduces each of them (:mod:`neoverse_ns.applications.superres.fuse`). With a refiner, the scene is
    drawn at the larger size and finished first, and what it painted is corrected until it reproduces the frames: detail
    may be invented, colours and shapes may not.

    Args:
        scene: With what it was made from.
        config: See :class:`SuperresConfig`.
        refine: Who finishes the drawing at the larger size; None or `none` uses the frames alone.
        refiner: The one that `refine` names, if it is there already.

    Raises:
        SettingsError: A setting is out of range.
        RunError: Only Gaussians are known of the scene.
        RefinementError, WeightsError: The refiner cannot run here.
    """
    config = config or SuperresConfig()
    config.validate()
    if scene.source is None:
        raise RunError("this scene has no frames to enlarge: load it from its run")
    pictures: list[Picture] = list(scene.source.clip.frames.numpy().astype(np.float32) / 255)
    starts = _finished(scene, config, refine, refiner)
    surfaces = Surfaces.of(scene)
    belief = 1.0
    if starts is None:
        belief = believed(pictures, surfaces, config)
        say(f"{belief:.0%} of the detail found is kept, as the clip's own smaller frames bear it out")
    frames = []
    with progress("enlarging", len(pictures)) as steps:
        for frame in range(len(pictures)):
            if starts is None:
                plain = enlarged(pictures[frame], config.scale)
                picture = plain + belief * (fuse(pictures, surfaces, frame, config) - plain)
            else:
                picture = fuse(pictures, surfaces, frame, config, starts[frame])
            frames.append(torch.from_numpy((picture.clip(0, 1) * 255).round().astype(np.uint8)))
            steps.advance()
    return Enlarged(torch.stack(frames), belief, scene.frame_rate)


def _finished(
    scene: ExportScene, config: SuperresConfig, refine: RefinerConfig | None, refiner: Refiner | None
) -> list[LargePicture] | None:
    """The drawing at the larger size, finished; None where nobody finishes."""
    if refine is None or refine.refiner == "none":
        return None
    cameras = scene.cameras
    path = Trajectory(cameras, scene.times, fps=scene.frame_rate)
    large = path.resized(cameras.width * config.scale, cameras.height * config.scale)
    made = finish(scene, large, refine, refiner, first_frame=False).whole()
    return list(made.frames.numpy().astype(np.float32) / 255)
