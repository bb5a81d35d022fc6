"""Where and when a new video looks."""

from __future__ import annotations

import dataclasses

import torch

from neoverse_ns.api.runs import SceneLike, shown
from neoverse_ns.export.axes import TURNS
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.trajectory.choose import choose_trajectory
from neoverse_ns.trajectory.clip_frames import ClipFrames
from neoverse_ns.trajectory.options import TrajectoryOptions
from neoverse_ns.trajectory.trajectory import Trajectory


def trajectory(
    scene: SceneLike,
    name: str,
    options: TrajectoryOptions | None = None,
    *,
    time: str | None = None,
    num_frames: int | None = None,
    fps: float | None = None,
) -> Trajectory:
    """Cameras and moments of a new video through a scene.

    Args:
        scene: As reconstructed, optimised or loaded, or a run's folder.
        name: What `--trajectory` of the commands takes: a move (`orbit_right`), one that knows the scene
            (`dolly_zoom`, `orbit:degrees=90 + handheld`), or a file.
        options: Changes to what the name says.
        time: Which moments of the clip are shown when, instead of the options': `freeze@1.5s`, `reverse`,
            `0:0, 2s:1.5s, hold 2s, 6s:0`; see :meth:`neoverse_ns.trajectory.time_curve.TimeCurve.parse`.
        num_frames: Length, instead of the options'.
        fps: Frames per second, instead of the options'.

    Returns:
        Cameras (c2w [n, 4, 4], K [n, 3, 3] in pixels of `cameras.width` x `cameras.height`) and normalised times [n];
        `resized` gives other sizes.

    Raises:
        SettingsError: There is no such trajectory, or it cannot be used here.
        RunError: The scene cannot be loaded.
    """
    asked = {"time": time, "num_frames": num_frames, "fps": fps}
    changes = {name: value for name, value in asked.items() if value is not None}
    options = dataclasses.replace(options or TrajectoryOptions(), **changes)
    # What is wrong with the options shall not cost the seconds that loading takes.
    options.validate()
    return bound(shown(scene), name, options)


def bound(scene: ExportScene, name: str, options: TrajectoryOptions | None = None) -> Trajectory:
    """The same for a scene at hand."""
    clip = None if scene.source is None else ClipFrames.of(scene.source.clip)
    return choose_trajectory(
        name, scene.cameras, scene.times, from_nerfstudio(), options, clip, scene.surroundings, scene.network_unit
    )


def from_nerfstudio() -> Sim3:
    """From the world in which nerfstudio's viewer saves camera paths, whose z points up, to this package's."""
    return Sim3(torch.ones((), dtype=torch.float64), TURNS["z"].double().mT, torch.zeros(3, dtype=torch.float64))
