"""The path that the tab is about: made from a move or a file, drawn in the scene, kept in the run folder."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.plugin.open_scene import OpenScene
from neoverse_ns.plugin.run_source import export_scene
from neoverse_ns.plugin.viewer.frustums import add_frustum
from neoverse_ns.plugin.viewer.run_files import inside, safe_name
from neoverse_ns.plugin.viewer.viewed import ViewedRun
from neoverse_ns.plugin.world import nerfstudio_to_world, world_to_nerfstudio
from neoverse_ns.trajectory.camera_path import to_camera_path
from neoverse_ns.trajectory.moves.registry import ALL_MOVES, is_directed
from neoverse_ns.trajectory.options import DEFAULT_FPS, TrajectoryOptions
from neoverse_ns.trajectory.presets import MOVES
from neoverse_ns.trajectory.trajectory import Trajectory

FOLDER = "camera_paths"
"""Folder of a run that nerfstudio's *Load Path* lists."""
LINE = "/neoverse/path/line"
_FRUSTA = 9
_COLOUR = (80, 220, 160)


@dataclass(frozen=True)
class PathWish:
    """What somebody asked for.

    Attributes:
        name: A move, a row of moves as :mod:`neoverse_ns.trajectory.moves.registry` reads it, or the name of a file in
            the run's :data:`FOLDER`.
        options: Its length, size, zoom and time.
    """

    name: str
    options: TrajectoryOptions


class Paths:
    """Makes paths of wishes, and shows one of them.

    Args:
        run: What is shown.
    """

    def __init__(self, run: ViewedRun) -> None:
        self._run = run
        self._known: tuple[Any, Trajectory] | None = None
        self._scene: tuple[int, OpenScene] | None = None
        self._handles: list[Any] = []

    @property
    def folder(self) -> Path:
        return self._run.folder / FOLDER

    def names(self) -> list[str]:
        """Moves, then the files there are."""
        files = sorted(self.folder.glob("*.json")) if self.folder.is_dir() else []
        return [*ALL_MOVES, *(file.name for file in files)]

    def make(self, wish: PathWish) -> Trajectory:
        """The path, in the world of the clip's first camera.

        Raises:
            SettingsError: It cannot be made as asked.
        """
        key = (wish, self._run.version())
        if self._known is None or self._known[0] != key:
            self._known = (key, self._opened().choose(self._resolved(wish.name), wish.options))
        return self._known[1]

    def _resolved(self, name: str) -> str:
        """What may be opened of what a browser named: moves, and files of the run alone."""
        if name in MOVES or is_directed(name):
            return name
        return str(self.folder / f"{safe_name(Path(name).stem)}.json")

    def _opened(self) -> OpenScene:
        """The scene as it stands, as paths are bound to it."""
        version = self._run.version()
        if self._scene is None or self._scene[0] != version:
            model = self._run.model
            with self._run.lock():
                scene = export_scene(model, self._run.scene)
            background = model.background_color.detach().cpu()
            worlds = nerfstudio_to_world(), world_to_nerfstudio()
            self._scene = (version, OpenScene(scene, self._run.scene.clip, background, *worlds))
        return self._scene[1]

    def show(self, trajectory: Trajectory | None) -> None:
        """Draw a path in the scene, with some of its cameras; None takes it away."""
        from nerfstudio.viewer.viewer import VISER_NERFSTUDIO_SCALE_RATIO as SCALE

        for handle in self._handles:
            handle.remove()
        self._handles = []
        if trajectory is None:
            return
        cameras = in_nerfstudio(trajectory)
        server = self._run.server
        places = SCALE * cameras.c2w[:, :3, 3].double().numpy()
        if len(cameras) > 1 and float(abs(places - places[0]).max()) > 1e-4:
            # The second argument is called differently by other versions of viser.
            self._handles.append(server.scene.add_spline_catmull_rom(LINE, places, color=_COLOUR, line_width=2.0))
        chosen = torch.linspace(0, len(cameras) - 1, min(_FRUSTA, len(cameras))).round().long().unique().tolist()
        for i in chosen:
            self._handles.append(add_frustum(server, f"/neoverse/path/{i:05d}", cameras, i, _COLOUR, scale=0.15))

    def save(self, trajectory: Trajectory, name: str) -> Path:
        """Write a path that the *Render* tab loads, and ns-render camera-path and ns-neoverse generate take.

        Raises:
            SettingsError: The name is none, or the path has angles that the format cannot hold.
            OSError: It cannot be written.
        """
        file = inside(self._run.folder, FOLDER, f"{safe_name(name)}.json")
        cameras = in_nerfstudio(trajectory)
        document = to_camera_path(
            cameras.c2w, cameras.K, trajectory.times, cameras.width, cameras.height, trajectory.fps or DEFAULT_FPS
        )
        file.write_text(json.dumps(document), "utf8")
        return file


def in_nerfstudio(trajectory: Trajectory) -> PinholeCameras:
    """A trajectory's cameras in nerfstudio's world, still with OpenCV axes."""
    cameras = trajectory.cameras
    return replace(cameras, c2w=world_to_nerfstudio().apply_c2w(cameras.c2w.double()))
