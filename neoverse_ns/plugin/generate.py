"""A refined video straight from a finished run."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional

from neoverse_ns.errors import SettingsError
from neoverse_ns.gaussians.transform import transform_layers
from neoverse_ns.generate.base import Conditions
from neoverse_ns.generate.conditions.render import ConditionSettings, render_conditions
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.generate.registry import get_refiner
from neoverse_ns.generate.stage.round import to_bytes
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.plugin.run import OpenRun
from neoverse_ns.plugin.run_source import refined_cameras, run_source
from neoverse_ns.plugin.world import nerfstudio_to_world
from neoverse_ns.trajectory.choose import choose_trajectory
from neoverse_ns.trajectory.clip_frames import ClipFrames
from neoverse_ns.trajectory.options import DEFAULT_FPS, TrajectoryOptions
from neoverse_ns.trajectory.picture_size import PictureSize
from neoverse_ns.trajectory.trajectory import Trajectory

_SAME_SHAPE = 0.02
"""Relative difference of aspect ratios up to which two pictures show the same."""
FOLDER = "generated"
"""Folder of a run in which a refiner keeps what it learned for videos."""


@dataclass(frozen=True)
class GeneratedVideo:
    """Finished frames and what they were made from."""

    frames: UInt8[Tensor, "n h w 3"]
    conditions: Conditions
    fps: float = DEFAULT_FPS


def generate(
    run: OpenRun,
    name: str,
    options: TrajectoryOptions,
    config: RefinerConfig,
    alpha_threshold: float,
    first_frame: bool | None,
    size: PictureSize | None = None,
) -> GeneratedVideo:
    """Draw a run along a trajectory and finish the frames.

    Refiners get what the clip's frames showed; what an earlier stage inpainted they repaint, the far field included.
    Without a refiner the scene is drawn as ns-render draws it.

    Args:
        run: A finished run.
        name: See :func:`neoverse_ns.trajectory.choose.choose_trajectory`.
        options: Changes to the trajectory.
        config: Which refiner, and how.
        alpha_threshold: Opacity below which a pixel is repainted.
        first_frame: Whether frame 0 shall be the input's; None leaves it to the trajectory.
        size: Of the frames; None is the clip's.

    Raises:
        SettingsError: The trajectory or an option cannot be used.
        RefinementError: The refiner cannot run here.
        RunError: What the refiner learns cannot be kept.
    """
    model, scene = run.loaded()
    # Built first, so that what is missing is known before anything is drawn.
    refiner = get_refiner(config)
    refiner.check()
    back = nerfstudio_to_world()
    refined = refined_cameras(model, scene)
    cameras = PinholeCameras(back.apply_c2w(refined.c2w), refined.K, refined.width, refined.height)
    trajectory = choose_trajectory(name, cameras, scene.clip.times, back, options, ClipFrames.of(scene.clip))
    trajectory = (size or PictureSize()).apply(trajectory)
    source = run_source(model, scene)
    plain = config.refiner == "none"
    wanted = trajectory.first_frame if first_frame is None else first_frame
    conditions = render_conditions(
        transform_layers(model.gaussians.detach(), back) if plain else source.gaussians,
        trajectory,
        ConditionSettings(mask_threshold=alpha_threshold, far_field=plain),
        _first_frame(source.frames[0].to(model.device), trajectory) if wanted else None,
    )
    refiner.adapt(source, config.seed)
    frames = to_bytes(refiner.refine(conditions, config.prompt, config.seed), conditions)
    return GeneratedVideo(frames, conditions, trajectory.fps or DEFAULT_FPS)


def _first_frame(frame: UInt8[Tensor, "h w 3"], trajectory: Trajectory) -> Float[Tensor, "gh gw 3"]:
    """The clip's frame in [0, 1] at the size drawn.

    Raises:
        SettingsError: The pictures are of another shape, which that frame cannot fill.
    """
    height, width = trajectory.cameras.height, trajectory.cameras.width
    image = frame.float() / 255
    if (height, width) == tuple(image.shape[:2]):
        return image
    if abs(width * image.shape[0] / (height * image.shape[1]) - 1) > _SAME_SHAPE:
        raise SettingsError(
            f"the clip's first frame of {image.shape[1]}x{image.shape[0]} pixels does not fill {width}x{height}: leave "
            "it out (--first-frame False), or keep the clip's shape"
        )
    planes = image.permute(2, 0, 1)[None]
    resized = functional.interpolate(planes, (height, width), mode="bicubic", antialias=True, align_corners=False)
    return resized[0].permute(1, 2, 0).clamp(0, 1)


def kept_in(config: RefinerConfig, run_folder: Path) -> RefinerConfig:
    """The same settings, with what is learned kept in the run's folder unless another one was named."""
    return config if config.folder is not None else dataclasses.replace(config, folder=run_folder / FOLDER)
