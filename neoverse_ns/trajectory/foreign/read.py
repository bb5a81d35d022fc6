"""Telling what a file of cameras is, and reading it."""

from __future__ import annotations

from pathlib import Path

from neoverse_ns.errors import SettingsError
from neoverse_ns.trajectory.fields import read_json
from neoverse_ns.trajectory.foreign.arrays import path_of_arrays, read_npz
from neoverse_ns.trajectory.foreign.colmap import find_model, read_colmap
from neoverse_ns.trajectory.foreign.path import ForeignPath
from neoverse_ns.trajectory.foreign.transforms import path_of_cameras
from neoverse_ns.trajectory.foreign.tum import read_tum

TEXT_SUFFIXES = (".txt", ".tum", ".csv")
MODEL_FILES = ("images.txt", "images.bin", "cameras.txt", "cameras.bin")


def holds_json(path: Path) -> bool:
    """Whether something is to be read as JSON: by its name, or where that says text, by how it begins."""
    suffix = path.suffix.lower()
    if path.is_dir() or suffix == ".npz" or path.name in MODEL_FILES:
        return False
    if suffix not in TEXT_SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            return file.read(64).lstrip().startswith(b"{")
    except OSError:
        return False


def read_foreign(path: Path) -> ForeignPath:
    """Cameras of a COLMAP model (its folder, one above it, or its file of images), a `transforms.json`, our
    `cameras.json`, a TUM file, or an npz file with `c2w`.

    Raises:
        SettingsError: It is none of these, cannot be read, or holds no camera.
    """
    if path.is_dir():
        model = find_model(path)
        if model is not None:
            return read_colmap(model)
        if (path / "transforms.json").is_file():
            return path_of_cameras(path / "transforms.json")
        raise SettingsError(f"{path} holds neither a COLMAP model (images.bin or images.txt) nor a transforms.json")
    if path.name in MODEL_FILES:
        return read_colmap(path.parent)
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return path_of_arrays(read_npz(path), str(path))
    if holds_json(path):
        if "frames" in read_json(path):
            return path_of_cameras(path)
    elif suffix in TEXT_SUFFIXES:
        return read_tum(path)
    raise SettingsError(
        f"{path} is no file of cameras: give a COLMAP folder, a transforms.json, a TUM file (.txt), or an npz with c2w"
    )
