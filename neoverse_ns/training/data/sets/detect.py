"""Which layout a folder is in, told by the names that only clips of that layout hold."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

from neoverse_ns.datafiles.finding import no_folder
from neoverse_ns.errors import UNREADABLE, ClipError

Mark = Callable[[Path], bool]

_DEEPEST = 4
_MOST = 200
"""Folders of a level that are looked at: clips of a set lie at one depth, and are alike."""


def holds(*names: str) -> Mark:
    """All of the names are there; they may lie deeper (`frames/rgb`) or be patterns (`group_*`)."""
    return lambda place: all(
        next(place.glob(name), None) is not None if "*" in name else (place / name).exists() for name in names
    )


def holds_archive(*members: str) -> Mark:
    """Some .npz file there holds arrays of all those names."""
    return lambda place: any(_has_members(path, members) for path in sorted(place.glob("*.npz"))[:3])


LAYOUTS: dict[str, tuple[Mark, ...]] = {
    "dynamic_replica": (holds("frame_annotations_*.jgz"),),
    "hypersim": (holds("_detail", "images"),),
    "movi_f": (holds_archive("segmentations", "camera/positions"),),
    "own": (holds("cameras.npz", "clip.json"),),
    "point_odyssey": (holds("rgbs", "anno.npz"),),
    "rgbd_png": (
        holds("frame-000000.color.png"),
        holds("rgb.txt", "depth.txt", "groundtruth.txt"),
        holds("color", "depth", "pose"),
    ),
    "spatial_vid": (holds("videos/group_*"),),
    "spring": (holds("frame_left", "cam_data"),),
    "tartan_air": (holds("image_left", "pose_left.txt"),),
    "virtual_kitti2": (holds("frames/rgb/Camera_0"),),
    "wai": (holds("scene_meta.json"),),
    "waymo": (holds("boxes.npz"),),
    "worlds": (holds("worlds.json"),),
}
"""By name, what a folder of one clip holds, or the folder above all clips; one of them suffices."""


def detect(folder: Path, told_by: str = "--dataset") -> str:
    """Name of the layout of a data set's folder, of a part of it, or of one clip.

    Args:
        folder: Looked at itself, then ever deeper, until something is recognised.
        told_by: How people can name the layout themselves, for messages.

    Raises:
        ClipError: There is no such folder, or it is empty, in no known layout, or in several at once.
    """
    if not folder.is_dir():
        raise no_folder(folder)
    level = [folder]
    for _ in range(_DEEPEST + 1):
        names = {name for place in level for name, marks in LAYOUTS.items() if any(mark(place) for mark in marks)}
        if len(names) > 1:
            raise ClipError(f"{folder} holds clips of {' and '.join(sorted(names))}: say which with {told_by}")
        if names:
            return names.pop()
        level = [inner for place in level for inner in _folders(place)][:_MOST]
    if next(folder.iterdir(), None) is None:
        raise ClipError(f"{folder} is empty: give the folder of a data set")
    raise ClipError(f"{folder} is in none of the known layouts ({', '.join(LAYOUTS)}): say which with {told_by}")


def _folders(place: Path) -> list[Path]:
    try:
        with os.scandir(place) as entries:
            found = [Path(entry.path) for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    except OSError:
        return []
    return sorted(found)[:_MOST]


def _has_members(path: Path, members: tuple[str, ...]) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return {f"{member}.npy" for member in members} <= set(archive.namelist())
    except UNREADABLE:
        return False
