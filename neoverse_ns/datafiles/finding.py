"""Which folders of a tree are clips of a layout."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from neoverse_ns.errors import ClipError


def folders_with(folder: Path, *marks: str, deepest: int = 3) -> list[Path]:
    """Folders that hold all of the marks, by name; what lies in such a folder is not looked through.

    Args:
        folder: Looked at itself, and through.
        marks: Names of files or folders, which may lie deeper (`frames/rgb`).
        deepest: Levels below `folder`.
    """
    return folders_where(folder, lambda place: all((place / mark).exists() for mark in marks), deepest)


def folders_where(folder: Path, is_clip: Callable[[Path], bool], deepest: int = 3) -> list[Path]:
    """Folders that are clips, by name; see :func:`folders_with`."""
    found: list[Path] = []
    level = [folder]
    for depth in range(deepest + 1):
        rest = []
        for place in level:
            (found if is_clip(place) else rest).append(place)
        level = [inner for place in rest for inner in _folders(place)] if depth < deepest else []
    return sorted(found)


def clip_name(folder: Path, clip: Path) -> str:
    """Name of a clip's folder within a data set; "." is the data set's folder itself."""
    return clip.relative_to(folder).as_posix()


def nothing_found(folder: Path, name: str, wanted: str) -> ClipError:
    """The error of a folder without clips of the layout `name`; `wanted` says what one holds."""
    if not folder.is_dir():
        return no_folder(folder)
    return ClipError(f"{folder} holds no clips as {name} has them ({wanted}): give another folder, or another data set")


def no_folder(place: Path) -> ClipError:
    """The error of a path that is a file, or that nothing is at, where a data set's folder is wanted."""
    return ClipError(f"{place} is a file: give the folder of a data set" if place.exists() else f"no folder at {place}")


def _folders(place: Path) -> list[Path]:
    try:
        with os.scandir(place) as entries:
            return [Path(entry.path) for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    except OSError as error:
        raise ClipError(f"{place} cannot be looked through ({error.strerror or error})") from error
