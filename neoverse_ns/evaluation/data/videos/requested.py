"""The camera path that a video was asked to follow, from the file beside it."""

from __future__ import annotations

from pathlib import Path

from neoverse_ns.errors import ClipError, SettingsError
from neoverse_ns.trajectory.camera_path import from_camera_path
from neoverse_ns.trajectory.fields import read_json
from neoverse_ns.trajectory.files import load_move
from neoverse_ns.trajectory.foreign.path import ForeignPath
from neoverse_ns.trajectory.foreign.read import TEXT_SUFFIXES, holds_json, read_foreign

NAMES = tuple(f"_cameras{suffix}" for suffix in (".json", ".npz", *TEXT_SUFFIXES))
"""Behind the name of a video or of a folder of frames: what `ns-neoverse generate` and `render` write, and others."""


def cameras_beside(video: Path) -> Path | None:
    """The file of cameras beside a video or a folder of frames."""
    stem = video.name if video.is_dir() else video.stem
    places = [video.with_name(f"{stem}{name}") for name in NAMES]
    return next((place for place in places if place.is_file()), None)


def read_requested(file: Path, count: int, size: tuple[int, int]) -> ForeignPath:
    """One camera per frame, in the order of the frames, in any world and unit.

    Args:
        file: `NAME_cameras.json`, a trajectory of mode "global", a camera path of nerfstudio, a transforms.json, an npz
            with c2w, or a TUM file.
        count: Number of the video's frames.
        size: Width and height of its pictures, which angles of view of a camera path belong to.

    Raises:
        ClipError: It cannot be read, says where to look only relative to another clip, or has another number of
            cameras than the video has frames.
    """
    try:
        path = _read(file, size)
    except SettingsError as error:
        raise ClipError(str(error)) from error
    if len(path) != count:
        raise ClipError(
            f"{file} has {len(path)} cameras, but the video {count} frames: each frame needs its own, in order"
        )
    return path


def _read(file: Path, size: tuple[int, int]) -> ForeignPath:
    if file.suffix.lower() == ".npz" or not holds_json(file):
        return read_foreign(file)
    document = read_json(file)
    if "frames" in document:
        return read_foreign(file)
    if "camera_path" in document:
        bound = from_camera_path(document, *size)
        return ForeignPath(bound.c2w, bound.K, size, times=bound.times, clock="shares", fps=bound.fps)
    move = load_move(file)
    if move.mode == "relative":
        raise SettingsError(
            f"{file} says where to look only relative to the cameras of a clip: write the path with ns-neoverse "
            "trajectory make, or take the NAME_cameras.json that ns-neoverse render and generate write"
        )
    return ForeignPath(move.c2w, fps=move.fps, own_world=move.unit == "scene")
