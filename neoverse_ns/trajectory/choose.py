"""A trajectory as a user names it: a preset, a trajectory file, a camera path, or cameras of another world."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.console import warn
from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.trajectory.camera_path import from_camera_path
from neoverse_ns.trajectory.clip_frames import ClipFrames
from neoverse_ns.trajectory.direct import OwnLength, direct
from neoverse_ns.trajectory.fields import read_json
from neoverse_ns.trajectory.files import DEFAULT_NUM_FRAMES, CameraMove, load_arrays, parse_move, preset_move
from neoverse_ns.trajectory.foreign.arrays import path_of_arrays, read_npz
from neoverse_ns.trajectory.foreign.bind import bind_foreign, place_world
from neoverse_ns.trajectory.foreign.path import ForeignPath
from neoverse_ns.trajectory.foreign.read import holds_json, read_foreign
from neoverse_ns.trajectory.foreign.transforms import path_of_cameras
from neoverse_ns.trajectory.moves.bind import named_row, parse_row
from neoverse_ns.trajectory.moves.registry import DIRECTED, is_directed
from neoverse_ns.trajectory.moves.stage import Surroundings
from neoverse_ns.trajectory.options import TrajectoryOptions
from neoverse_ns.trajectory.presets import MOVES
from neoverse_ns.trajectory.trajectory import Trajectory, cameras_between, frames_at, zoom

__all__ = ["TrajectoryOptions", "choose_trajectory"]

_SAME = 1e-4
"""Difference up to which two cameras and moments are one."""


def choose_trajectory(
    name: str,
    cameras: PinholeCameras,
    times: Float[Tensor, " n"],
    path_to_world: Sim3 | None = None,
    options: TrajectoryOptions | None = None,
    clip: ClipFrames | None = None,
    surroundings: Surroundings | None = None,
    network_unit: float | None = None,
) -> Trajectory:
    """Find out what `name` is, and bind it to a clip.

    Args:
        name: A preset, moves as :mod:`neoverse_ns.trajectory.moves.registry` reads them, or the path of what
            :mod:`neoverse_ns.trajectory.files` (JSON, npz), :mod:`neoverse_ns.trajectory.moves.bind` (JSON),
            :mod:`neoverse_ns.trajectory.camera_path` or :mod:`neoverse_ns.trajectory.foreign` reads.
        cameras: The clip's, in the world that trajectories of mode "global" are meant in.
        times: Their normalised times.
        path_to_world: From a nerfstudio camera path's world to that one; None where they are one.
        options: See :class:`TrajectoryOptions`.
        clip: When the clip's frames were taken and what they are called; needed to direct time in seconds, and to find
            the frames that another program's cameras belong to by more than their order.
        surroundings: The scene, for moves about something in it.
        network_unit: Length of the clip's world's unit in that of the network which found it; None where none did.

    Raises:
        SettingsError: There is no such preset or file, a field of it is wrong, or an option is out of range.
    """
    options = options or TrajectoryOptions()
    options.validate()
    source = _Clip(cameras, times, clip, 1.0 if options.unit == "scene" else network_unit or 1.0)
    if is_directed(name):
        return named_row(name).bind(cameras, times, options, clip, surroundings)
    if name in MOVES:
        move = preset_move(name, options.num_frames or DEFAULT_NUM_FRAMES, options.size)
        bound = _follow(move, source, options, firm=False)
        # Directed time may begin elsewhere in the clip, which is no reason to refuse what nobody asked for.
        return replace(bound, first_frame=bound.first_frame and _begins_with(bound, source))
    path = Path(name).expanduser()
    if not path.exists():
        known = ", ".join([*MOVES, *DIRECTED])
        raise SettingsError(f"'{name}' is neither a camera move ({known}) nor a trajectory file")
    if path.suffix.lower() == ".npz" and path.is_file():
        arrays = read_npz(path)
        if "frame_matrices" in arrays:
            return _follow(load_arrays(path), source, options, firm=True)
        return _foreign(path_of_arrays(arrays, str(path)), path, source, options)
    if not holds_json(path):
        return _foreign(read_foreign(path), path, source, options)
    document = read_json(path)
    if "frames" in document:
        return _foreign(path_of_cameras(path), path, source, options)
    try:
        if "move" in document and "camera_path" not in document:
            return parse_row(document).bind(cameras, times, options, clip, surroundings)
        return _of_document(document, path, source, path_to_world, options)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error


def _of_document(
    document: dict[str, Any], path: Path, clip: _Clip, path_to_world: Sim3 | None, options: TrajectoryOptions
) -> Trajectory:
    """Of JSON that is neither moves nor another program's cameras."""
    if "camera_path" in document:
        return _camera_path(document, clip, path_to_world, options)
    move = parse_move(document, path.parent, path.stem)
    return _follow(move, clip, options, firm="num_frames" in document)


class _Clip:
    """What paths are bound to."""

    def __init__(self, cameras: PinholeCameras, times: Tensor, frames: ClipFrames | None, unit: float) -> None:
        self.cameras, self.times, self.frames, self.unit = cameras, times, frames, unit


def _begins_with(trajectory: Trajectory, clip: _Clip) -> bool:
    """Whether a path begins at the clip's first camera and moment."""
    there = torch.linalg.inv(clip.cameras.c2w[0].double()) @ trajectory.c2w[0].double()
    still = bool((there - torch.eye(4).to(there)).abs().max() < _SAME)
    return still and abs(float(trajectory.times[0]) - float(clip.times[0])) < _SAME


def _follow(move: CameraMove, clip: _Clip, options: TrajectoryOptions, firm: bool) -> Trajectory:
    if options.zoom is not None:
        move = replace(move, zoom_ratio=options.zoom, zoom=None)
    if options.align_to not in (None, "none"):
        if move.mode == "relative":
            raise SettingsError(
                "align_to is for paths of a world of their own: this one starts from the clip's cameras"
            )
        if move.unit == "scene" and options.align_to in ("clip", "rigid"):
            warn(
                f"{move.name} was made in the scene's own world, and --align-to {options.align_to} moves it as if its "
                "cameras were the clip's: leave it out if it is another path"
            )
        sim3 = place_world(ForeignPath(move.c2w), move.name, clip.cameras, clip.times, clip.frames, options.align_to)
        move = move.moved(sim3)
    elif move.unit == "network":
        move = move.scaled(1 / clip.unit)
    own = OwnLength(len(move), move.fps, move.time, firm)
    direction = direct(own, options, clip.times, clip.frames)
    if options.follow == "time" and direction.moments is not None:
        at = frames_at(clip.times, direction.moments)
        move = move.resampled(len(at))
        return replace(move.follow(clip.cameras, clip.times, at), times=direction.moments, fps=direction.fps)
    return direction.apply(move.follow(clip.cameras, clip.times))


def _foreign(path: ForeignPath, file: Path, clip: _Clip, options: TrajectoryOptions) -> Trajectory:
    bound = bind_foreign(path, file.name, clip.cameras, clip.times, clip.frames, options.align_to)
    return _zoomed(direct(OwnLength(len(bound), bound.fps), options, clip.times, clip.frames).apply(bound), options)


def _zoomed(trajectory: Trajectory, options: TrajectoryOptions) -> Trajectory:
    """Of paths that know no zoom of their own."""
    if options.zoom is None:
        return trajectory
    return trajectory.zoomed(torch.linspace(1, options.zoom, len(trajectory), dtype=torch.float64))


def _camera_path(
    document: dict[str, Any], clip: _Clip, path_to_world: Sim3 | None, options: TrajectoryOptions
) -> Trajectory:
    """The format gives a vertical field of view per frame; shape of pixels and principal point are the clip's."""
    width, height = clip.cameras.width, clip.cameras.height
    path = from_camera_path(document, width, height)
    own = cameras_between(clip.cameras, frames_at(clip.times, path.times)).K
    c2w = path.c2w if path_to_world is None else path_to_world.apply_c2w(path.c2w)
    seen = PinholeCameras(c2w, zoom(own, path.K[:, 1, 1] / own[:, 1, 1]), width, height)
    direction = direct(OwnLength(len(path), path.fps), options, clip.times, clip.frames)
    return _zoomed(direction.apply(replace(path, cameras=seen)), options)
