"""What the folders of all data sets have in common: splits, numbered files, rows and what is said of a clip."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from neoverse_ns.clip.image_file import image_size
from neoverse_ns.datafiles.finding import nothing_found
from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.truth import ClipInfo


def split_of(path: Path, splits: Sequence[str]) -> str:
    """The split that a clip's path lies in, by the innermost folder that is named after one; train without any."""
    named = [part for part in path.resolve().parent.parts if part in splits]
    split = named[-1] if named else "train"
    return "val" if split in ("valid", "validation") else split


def numbers_in(folder: Path, pattern: str) -> list[int]:
    """Numbers of the files in a folder, ascending.

    Args:
        folder: May be missing, and then holds none.
        pattern: Regular expression of a whole name; its first group is the number.
    """
    if not folder.is_dir():
        return []
    return sorted(int(match[1]) for path in folder.iterdir() if (match := re.fullmatch(pattern, path.name)))


def present(path: Path) -> Path:
    """The path of a file that is there.

    Raises:
        ClipError: It is not.
    """
    if not path.is_file():
        raise ClipError(f"{path}: is missing")
    return path


def size_or_unknown(path: Path) -> tuple[int, int]:
    """Width and height of a picture by its header; 0 and 0 of a damaged one, which is told when its clip is read."""
    try:
        return image_size(path) if path.is_file() else (0, 0)
    except ClipError:
        return 0, 0


def must_find(rows: list[ManifestRow], folder: Path, name: str, wanted: str) -> list[ManifestRow]:
    """The rows, by name.

    Raises:
        ClipError: There are none; `wanted` says what a clip of the layout `name` holds.
    """
    if not rows:
        raise nothing_found(folder, name, wanted)
    return sorted(rows, key=lambda row: row.id)


def source_of(folder: Path, path: Path) -> tuple[str, dict[str, str | int]]:
    """Identity and source of a clip at a path inside a data set's folder, or at the folder itself."""
    relative = path.relative_to(folder).as_posix()
    return path.resolve().name if relative == "." else relative, {"path": relative}


def path_of(folder: Path, row: ManifestRow) -> Path:
    """Where a row's clip lies.

    Raises:
        ClipError: The row names no path, or nothing is there.
    """
    relative = row.source.get("path")
    if not isinstance(relative, str):
        raise ClipError(f"{row.dataset} {row.id}: its row names no path; make the manifest anew")
    path = folder / relative
    if not path.exists():
        raise ClipError(f"{path}: is missing; fetch this clip again, or make the manifest anew")
    return path


def info_of(
    row: ManifestRow,
    furthest: int,
    *,
    render_weight: float = 1.0,
    depth_weight: float = 1.0,
    motion_weight: float = 1.0,
    depth_quantile: float = 1.0,
) -> ClipInfo:
    """What a row says of its clip, and what holds for all clips of its set; see :class:`ClipInfo`."""
    return ClipInfo(
        dataset=row.dataset,
        clip=row.id,
        frames=row.frames,
        fps=row.fps,
        static=row.static,
        has=row.has,
        furthest=furthest,
        render_weight=render_weight,
        depth_weight=depth_weight,
        motion_weight=motion_weight,
        depth_quantile=depth_quantile,
    )
