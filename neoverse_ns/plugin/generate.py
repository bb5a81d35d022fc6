"""A refined video straight from a finished run."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.generate.base import Refiner
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.generate.refine_along import FrameStream, GeneratedVideo, refine_along, stream_along
from neoverse_ns.generate.registry import get_refiner
from neoverse_ns.generate.source_scene import SourceScene
from neoverse_ns.plugin.open_scene import scene_of
from neoverse_ns.plugin.run import OpenRun
from neoverse_ns.plugin.run_source import run_source
from neoverse_ns.reconstruct.scene import Scene
from neoverse_ns.trajectory.options import TrajectoryOptions
from neoverse_ns.trajectory.picture_size import PictureSize
from neoverse_ns.trajectory.trajectory import Trajectory

FOLDER = "generated"
"""Folder of a run in which a refiner keeps what it learned for videos."""


@dataclass(frozen=True)
class RunVideo:
    """A run's video that is being made.

    Attributes:
        stream: Its frames.
        scene: What the run was trained on.
    """

    stream: FrameStream
    scene: Scene


def stream(
    run: OpenRun,
    name: str,
    options: TrajectoryOptions,
    config: RefinerConfig,
    alpha_threshold: float | None = None,
    first_frame: bool | None = None,
    size: PictureSize | None = None,
) -> RunVideo:
    """Draw a run along a trajectory and finish the frames while they are taken.

    Args:
        run: A finished run.
        name: See :func:`neoverse_ns.trajectory.choose.choose_trajectory`.
        options: Changes to the trajectory.
        config: Which refiner, and how.
        alpha_threshold: Opacity that a pixel must exceed to be kept; None takes what suits the refiner.
        first_frame: Whether frame 0 shall be the input's; None leaves it to the trajectory.
        size: Of the frames; None is the clip's.

    Raises:
        SettingsError: The trajectory or an option cannot be used.
        RefinementError: The refiner cannot run here.
        RunError: What the refiner learns cannot be kept.
    """
    refiner, drawn, scene = _prepared(run, name, options, config, size)
    return RunVideo(stream_along(refiner, *drawn, config, alpha_threshold, first_frame), scene)


def generate(
    run: OpenRun,
    name: str,
    options: TrajectoryOptions,
    config: RefinerConfig,
    alpha_threshold: float | None = None,
    first_frame: bool | None = None,
    size: PictureSize | None = None,
) -> GeneratedVideo:
    """The same with all frames at once; see :func:`stream`."""
    refiner, drawn, _ = _prepared(run, name, options, config, size)
    return refine_along(refiner, *drawn, config, alpha_threshold, first_frame)


def _prepared(
    run: OpenRun, name: str, options: TrajectoryOptions, config: RefinerConfig, size: PictureSize | None
) -> tuple[Refiner, tuple[SourceScene, LayeredGaussians, Trajectory], Scene]:
    model, scene = run.loaded()
    # Built first, so that what is missing is known before anything is drawn.
    refiner = get_refiner(config)
    refiner.check()
    shown = scene_of(run)
    trajectory = (size or PictureSize()).apply(shown.choose(name, options))
    return refiner, (run_source(model, scene), shown.scene.gaussians, trajectory), scene


def kept_in(config: RefinerConfig, run_folder: Path) -> RefinerConfig:
    """The same settings, with what is learned kept in the run's folder unless another one was named."""
    return config if config.folder is not None else dataclasses.replace(config, folder=run_folder / FOLDER)
