"""A refined video straight from a finished run."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.generate.refine_along import GeneratedVideo, refine_along
from neoverse_ns.generate.registry import get_refiner
from neoverse_ns.plugin.open_scene import scene_of
from neoverse_ns.plugin.run import OpenRun
from neoverse_ns.plugin.run_source import run_source
from neoverse_ns.trajectory.options import TrajectoryOptions
from neoverse_ns.trajectory.picture_size import PictureSize

FOLDER = "generated"
"""Folder of a run in which a refiner keeps what it learned for videos."""


def generate(
    run: OpenRun,
    name: str,
    options: TrajectoryOptions,
    config: RefinerConfig,
    alpha_threshold: float | None = None,
    first_frame: bool | None = None,
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
        alpha_threshold: Opacity that a pixel must exceed to be kept; None takes what suits the refiner.
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
    shown = scene_of(run)
    trajectory = (size or PictureSize()).apply(shown.choose(name, options))
    source, everything = run_source(model, scene), shown.scene.gaussians
    return refine_along(refiner, source, everything, trajectory, config, alpha_threshold, first_frame)


def kept_in(config: RefinerConfig, run_folder: Path) -> RefinerConfig:
    """The same settings, with what is learned kept in the run's folder unless another one was named."""
    return config if config.folder is not None else dataclasses.replace(config, folder=run_folder / FOLDER)
