"""Views that the clip never showed, finished."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from neoverse_ns.api.pictures import follow
from neoverse_ns.api.runs import SceneLike, shown
from neoverse_ns.errors import RefinementError
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.generate.refine_along import GeneratedVideo, refine_along
from neoverse_ns.generate.registry import get_refiner
from neoverse_ns.generate.stage.training_frames import training_source
from neoverse_ns.generate.video import check_output, write_video_whole
from neoverse_ns.reconstruct.base import network_unit
from neoverse_ns.trajectory.trajectory import Trajectory


def refine(
    scene: SceneLike,
    trajectory: Trajectory | str | None = None,
    refiner: str | RefinerConfig = "internal",
    output: str | Path | None = None,
    *,
    prompt: str | None = None,
    alpha_threshold: float | None = None,
    first_frame: bool | None = None,
) -> GeneratedVideo:
    """Draw a scene along a trajectory and let a refiner finish the frames: `ns-neoverse generate`.

    Args:
        scene: As reconstructed, optimised or loaded, or a run's folder.
        trajectory: One, a name of one as :func:`neoverse_ns.api.trajectory` takes it, or None for the clip's own
            cameras and times.
        refiner: `internal`, which learns from the clip (anew every time, unless a config names a `folder`), `telea`,
            `wan`, `none`, or a config of one.
        output: A video to write, too, such as `out.mp4`.
        prompt: What the video shows, in words, instead of the config's; for refiners with language.
        alpha_threshold: Opacity that a pixel must exceed not to be repainted; None is 0.95, and with `wan`, as
            published, 1, which repaints all but the first frame.
        first_frame: Whether frame 0 shall be the clip's own; None leaves it to the trajectory.

    Returns:
        Finished `frames` [n, h, w, 3] uint8, the `conditions` they were made from (`rgb` [n, h, w, 3], `mask`,
        `depth`, `alpha` [n, h, w]), and their rate `fps`.

    Raises:
        SettingsError: There is no such refiner or trajectory, or `output` is no video's name.
        RefinementError, WeightsError: The refiner cannot run here.
        RunError: The scene cannot be loaded, or something not be written.
    """
    config = RefinerConfig(refiner=refiner) if isinstance(refiner, str) else refiner
    if prompt is not None:
        config = dataclasses.replace(config, prompt=prompt)
    # What is missing shall be known before anything is loaded or drawn.
    chosen = get_refiner(config)
    chosen.check()
    target = None if output is None else Path(output).expanduser()
    if target is not None:
        check_output(target)
    found = shown(scene)
    origin = found.source
    if origin is None:
        raise RefinementError("this scene has no frames that a refiner could learn from: load it from its run")
    keyframes, unit = origin.geometry.keyframes, network_unit(origin.geometry.report)
    source = training_source(origin.clip, origin.split, keyframes, found.cameras, found.gaussians, unit)
    made = refine_along(
        chosen, source, found.gaussians.detach(), follow(found, trajectory), config, alpha_threshold, first_frame
    )
    if target is not None:
        write_video_whole(target, made.frames, made.fps)
    return made
