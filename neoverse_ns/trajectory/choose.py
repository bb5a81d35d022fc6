"""A trajectory as a user names it: a preset, a trajectory file, or a nerfstudio camera path."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.interpolation import interpolate_c2w
from neoverse_ns.trajectory.camera_path import from_camera_path
from neoverse_ns.trajectory.fields import get_list, get_number, get_object, read_json
from neoverse_ns.trajectory.files import DEFAULT_NUM_FRAMES, LONGEST, parse_move, preset_move
from neoverse_ns.trajectory.presets import MOVES, MoveSize
from neoverse_ns.trajectory.trajectory import Trajectory


@dataclass(frozen=True)
class ChosenTrajectory:
    """A trajectory bound to a clip, with the camera that it zooms.

    Attributes:
        trajectory: Cameras, times and zoom.
        K: Intrinsics without zoom, in pixels of the clip's frames.
        first_frame: Whether the trajectory wants the input's first frame kept.
    """

    trajectory: Trajectory
    K: Float[Tensor, "3 3"]
    first_frame: bool = False


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
) -> ChosenTrajectory:
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
                return _camera_path(document, cameras, path_to_world, options)
            move = parse_move(document, path.parent, path.stem)
        except SettingsError as error:
            raise SettingsError(f"{path}: {error}") from error
    if options.zoom is not None:
        move = replace(move, zoom_ratio=options.zoom)
    trajectory = resample(move.follow(cameras.c2w, times), options.num_frames)
    return ChosenTrajectory(trajectory, cameras.K[0], move.use_first_frame)


def resample(trajectory: Trajectory, count: int | None) -> Trajectory:
    """The same motion in `count` frames; None leaves it as it is."""
    if count is None or count == len(trajectory):
        return trajectory
    at = torch.linspace(0, len(trajectory) - 1, count, dtype=torch.float64)
    before = at.floor().long().clamp(max=max(len(trajectory) - 2, 0))
    after = (before + 1).clamp(max=len(trajectory) - 1)

    def between(values: Float[Tensor, " n"]) -> Float[Tensor, " m"]:
        return torch.lerp(values[before].double(), values[after].double(), at - before)

    return Trajectory(interpolate_c2w(trajectory.c2w.double(), at), between(trajectory.times), between(trajectory.zoom))


def _camera_path(
    document: dict, cameras: PinholeCameras, path_to_world: Sim3, options: TrajectoryOptions
) -> ChosenTrajectory:
    """The format gives a vertical field of view per frame, and nothing of the principal point."""
    trajectory = from_camera_path(document)
    trajectory = resample(replace(trajectory, c2w=path_to_world.apply_c2w(trajectory.c2w)), options.num_frames)
    if options.zoom is not None:
        factor = torch.linspace(1, options.zoom, len(trajectory), dtype=torch.float64)
        trajectory = replace(trajectory, zoom=trajectory.zoom * factor)
    first = get_object(get_list(document["camera_path"], "camera_path")[0], "camera_path[0]")
    fov = math.radians(get_number(first["fov"], "camera_path[0].fov", above=0.0))
    K = cameras.K[0].clone()
    K[0, 0] *= 0.5 * cameras.height / math.tan(fov / 2) / K[1, 1]
    K[1, 1] = 0.5 * cameras.height / math.tan(fov / 2)
    return ChosenTrajectory(trajectory, K)
