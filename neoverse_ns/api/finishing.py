"""Views that the clip never showed, finished."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from neoverse_ns.api.pictures import follow
from neoverse_ns.api.runs import SceneLike, shown
from neoverse_ns.applications.finish import checked_refiner, finish
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.generate.refine_along import GeneratedVideo
from neoverse_ns.generate.video import check_output, write_video_whole
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
        `depth`, `alpha` [n, h, w]; drawn again when they are asked for, from the scene as it is then), their rate
        `fps`, and what took how long, `timing`.

    Raises:
        SettingsError: There is no such refiner or trajectory, or `output` is no video's name.
        RefinementError, WeightsError: The refiner cannot run here.
        RunError: The scene cannot be loaded, or something not be written.
    """
    config = RefinerConfig(refiner=refiner) if isinstance(refiner, str) else refiner
    if prompt is not None:
        config = dataclasses.replace(config, prompt=prompt)
    # What is missing shall be known before anything is loaded or drawn.
    chosen = checked_refiner(config)
    target = None if output is None else Path(output).expanduser()
    if target is not None:
        check_output(target)
    found = shown(scene)
    made = finish(
        *(found, follow(found, trajectory), config, chosen), alpha_threshold=alpha_threshold, first_frame=first_frame
    ).whole()
    if target is not None:
        write_video_whole(target, made.frames, made.fps)
    return made
