"""A trajectory as a user names it: a preset, a trajectory file, or a nerfstudio camera path."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.trajectory.camera_path import from_camera_path
from neoverse_ns.trajectory.fields import read_json
from neoverse_ns.trajectory.files import DEFAULT_NUM_FRAMES, LONGEST, parse_move, preset_move
from neoverse_ns.trajectory.presets import MOVES, MoveSize
from neoverse_ns.trajectory.trajectory import Trajectory, cameras_between, frames_at, zoom


@dataclass(frozen=True)
class TrajectoryOptions:
    """What may be asked for on top of a name or a file; None leaves it as it is there.

    Attributes:
        num_frames: Length; a file's trajectory is played faster or slower.
        zoom: Focal length of the last frame over that of the first.
        size: How far presets go.
    """

    num_frames: int | None = None
    zoom: float | None = None
    size: MoveSize | None = None

    def validate(self) -> None:
        """Raise SettingsError where a value is out of range."""
        if self.num_frames is not None and not 1 <= self.num_frames <= LONGEST:
            raise SettingsError(f"num_frames must lie in 1 to {LONGEST}, got {self.num_frames}")
        if self.zoom is not None and not (math.isfinite(self.zoom) and self.zoom > 0):
            raise SettingsError(f"zoom must be a finite number above 0, got {self.zoom}")
        size = self.size or MoveSize()
        for name in ("angle", "distance", "orbit_radius"):
            if not math.isfinite(getattr(size, name)):
                raise SettingsError(f"{name} must be a finite number, got {getattr(size, name)}")


def choose_trajectory(
    name: str,
    cameras: PinholeCameras,
    times: Float[Tensor, " n"],
    path_to_world: Sim3,
    options: TrajectoryOptions | None = None,
) -> Trajectory:
    """Find out what `name` is, and bind it to a clip.

    Args:
        name: A preset, or the path of a JSON file: NeoVerse's form, or a nerfstudio camera path.
        cameras: The clip's, in the world that trajectories of mode "global" are meant in.
        times: Their normalised times.
        path_to_world: From a nerfstudio camera path's world to that one.
        options: See :class:`TrajectoryOptions`.

    Raises:
        SettingsError: There is no such preset or file, a field of it is wrong, or an option is out of range.
    """
    options = options or TrajectoryOptions()
    options.validate()
    if name in MOVES:
        move = preset_move(name, options.num_frames or DEFAULT_NUM_FRAMES, options.size)
    else:
        path = Path(name).expanduser()
        if not path.is_file():
            raise SettingsError(f"'{name}' is neither a camera move ({', '.join(MOVES)}) nor a trajectory file")
        document = read_json(path)
        try:
            if "camera_path" in document:
                return _camera_path(document, cameras, times, path_to_world, options)
            move = parse_move(document, path.parent, path.stem)
        except SettingsError as error:
            raise SettingsError(f"{path}: {error}") from error
    if options.zoom is not None:
        move = replace(move, zoom_ratio=options.zoom)
    return move.follow(cameras, times).resampled(options.num_frames)


def _camera_path(
    document: dict[str, Any],
    cameras: PinholeCameras,
    times: Float[Tensor, " n"],
    path_to_world: Sim3,
    options: TrajectoryOptions,
) -> Trajectory:
    """The format gives a vertical field of view per frame; shape of pixels and principal point are the clip's."""
    path = from_camera_path(document, cameras.width, cameras.height)
    own = cameras_between(cameras, frames_at(times, path.times)).K
    seen = PinholeCameras(
        path_to_world.apply_c2w(path.c2w), zoom(own, path.K[:, 1, 1] / own[:, 1, 1]), cameras.width, cameras.height
    )
    trajectory = replace(path, cameras=seen).resampled(options.num_frames)
    if options.zoom is None:
        return trajectory
    return trajectory.zoomed(torch.linspace(1, options.zoom, len(trajectory), dtype=torch.float64))
