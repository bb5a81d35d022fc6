"""Finished runs and saved scenes, opened as what trajectories are bound to and drawn in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.errors import RunError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.plugin.world import nerfstudio_to_world, world_to_nerfstudio
from neoverse_ns.rasterize.drawing import DrawOptions
from neoverse_ns.reconstruct.store import is_saved_scene, load_scene
from neoverse_ns.trajectory.choose import choose_trajectory
from neoverse_ns.trajectory.clip_frames import ClipFrames
from neoverse_ns.trajectory.options import TrajectoryOptions
from neoverse_ns.trajectory.trajectory import Trajectory

if TYPE_CHECKING:
    from neoverse_ns.plugin.run import OpenRun

_WORLDS = nerfstudio_to_world(), world_to_nerfstudio()


@dataclass(frozen=True)
class OpenScene:
    """A scene in this package's world, with the clip that it came from.

    Attributes:
        scene: Gaussians and cameras, refined where they were.
        clip: The sampled frames.
        background: What is drawn behind it, RGB in [0, 1].
        path_to_world: From the world of nerfstudio's camera paths to the scene's.
        world_to_path: The way back.
    """

    scene: ExportScene
    clip: Clip
    background: Float[Tensor, "3"]
    path_to_world: Sim3
    world_to_path: Sim3

    def choose(self, name: str, options: TrajectoryOptions | None = None) -> Trajectory:
        """Find out what `name` is, and bind it to this scene; see
        :func:`neoverse_ns.trajectory.choose.choose_trajectory`.

        Raises:
            SettingsError: There is no such trajectory, or it cannot be used here.
        """
        frames, scene = ClipFrames.of(self.clip), self.scene
        world = self.path_to_world
        return choose_trajectory(
            name, scene.cameras, scene.times, world, options, frames, scene.surroundings, scene.network_unit
        )


def open_scene(path: Path) -> OpenScene:
    """Open a run's folder or config.yml, or a folder with a saved reconstruction.

    Raises:
        RunError: There is none, it is another method's, or the reconstruction was saved without its Gaussians.
    """
    if path.is_dir() and is_saved_scene(path):
        return _saved(path)
    # Nerfstudio takes seconds to import.
    from neoverse_ns.plugin.run import config_of, open_run

    if not config_of(path).is_file():
        raise RunError(f"no such run: {path}; give the folder or the config.yml that ns-train wrote, or a saved scene")
    return scene_of(open_run(path))


def scene_of(run: OpenRun) -> OpenScene:
    """The scene of a run from a folder, as it stands.

    Raises:
        RunError: The run does not come from a folder.
    """
    from neoverse_ns.plugin.run_source import export_scene

    model, source = run.loaded()
    background = model.background_color.detach().cpu()
    return OpenScene(export_scene(model, source), source.clip, background, *_WORLDS)


def _saved(folder: Path) -> OpenScene:
    scene = load_scene(folder)
    if scene.gaussians is None:
        raise RunError(f"{folder} holds no Gaussians: give the run that it belongs to")
    clip = scene.clip
    # How it was optimised is how it is drawn.
    draw = DrawOptions(**scene.geometry.report.get("optimise", {}).get("draw", {}))
    opened = ExportScene(scene.gaussians, scene.geometry.cameras, clip.times, clip.seconds, draw, scene)
    return OpenScene(opened, clip, torch.zeros(3), *_WORLDS)
