"""Points as people write them: `x,y@frame`, tables, and files of arrays."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path

import numpy as np
import torch

from neoverse_ns.applications.track.queries import Queries
from neoverse_ns.clip.clip import Clip
from neoverse_ns.errors import UNREADABLE, SettingsError

_POINT = re.compile(r"^\s*([^,@\s]+)\s*,\s*([^,@\s]+)\s*(?:@\s*(\S+)\s*)?$")
_ARRAYS = "queries_xyt"


def frame_named(text: str, clip: Clip) -> int:
    """Position of the frame that `12` (position) or `1.5s` (the one shown at that second of the source) names.

    Raises:
        SettingsError: It is neither, or the clip has no such frame or second.
    """
    try:
        second = float(text[:-1]) if text.endswith("s") else None
        if second is not None and not math.isfinite(second):
            raise ValueError
        frame = int(text) if second is None else 0
    except ValueError as error:
        raise SettingsError(f"'{text}' is no frame: give a number, as 12, or a second, as 1.5s") from error
    if second is not None:
        return _frame_at(second, clip)
    if not 0 <= frame < len(clip):
        raise SettingsError(f"there is no frame {frame}: the clip's are 0 to {len(clip) - 1}")
    return frame


def _frame_at(second: float, clip: Clip) -> int:
    """The sampled frame nearest to a second of the source; the last one is shown for as long as those before it."""
    first, last = float(clip.seconds[0]), float(clip.seconds[-1])
    shown = (last - first) / max(len(clip) - 1, 1)
    if not max(first - shown, 0.0) <= second <= last + shown:
        raise SettingsError(f"{second:g}s lies outside the clip, whose frames are at {first:.4g}s to {last:.4g}s")
    return int((clip.seconds - second).abs().argmin())


def read_points(points: tuple[str, ...], clip: Clip) -> Queries:
    """Points from `x,y@frame`; without a frame they lie in the first.

    Raises:
        SettingsError: One cannot be read.
    """
    rows = []
    for text in points:
        match = _POINT.match(text)
        try:
            if match is None:
                raise ValueError
            x, y = float(match[1]), float(match[2])
        except ValueError as error:
            raise SettingsError(f"'{text}' is no point: give x,y@frame, as 120,80@0 or 120,80@1.5s") from error
        rows.append((x, y, frame_named(match[3] or "0", clip)))
    return _queries(rows)


def read_point_file(path: Path, clip: Clip) -> Queries:
    """Points from a table (.csv: columns x, y and, unless all lie in the first frame, frame, with or without a line of
    names) or from arrays (.npz: `queries_xyt` [p, 3], as TAPVid's files have it).

    Raises:
        SettingsError: There is no such file, or it holds something else.
    """
    if not path.is_file():
        raise SettingsError(f"no such file: {path}")
    if path.suffix.lower() == ".npz":
        return _from_arrays(path, clip)
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            table = [[cell.strip() for cell in row] for row in csv.reader(lines) if any(cell.strip() for cell in row)]
    except UNREADABLE as error:
        raise SettingsError(f"{path} cannot be read ({error}): give a .csv with x, y, frame, or a .npz") from error
    if not table:
        raise SettingsError(f"{path} holds no points")
    names = [name.lower() for name in table[0]]
    order = [0, 1, 2]
    if not _is_number(table[0][0]):
        if "x" not in names or "y" not in names:
            raise SettingsError(f"{path}: columns must be x, y and frame, not {', '.join(table[0])}")
        order = [names.index("x"), names.index("y"), names.index("frame") if "frame" in names else len(names)]
        table = table[1:]
    rows = []
    for number, row in enumerate(table, start=1):
        cells = [row[place] if place < len(row) else "0" for place in order]
        if not (_is_number(cells[0]) and _is_number(cells[1])):
            raise SettingsError(f"{path}, point {number}: {', '.join(row)} is not x, y, frame")
        rows.append((float(cells[0]), float(cells[1]), frame_named(cells[2], clip)))
    return _queries(rows)


def in_scene_pixels(queries: Queries, clip: Clip) -> Queries:
    """Points that were read in the source's own upright picture, in pixels of the scene's pictures."""
    if clip.source_size is None:
        return queries
    left, top, width, height = clip.crop or (0, 0, *clip.source_size)
    scale = clip.source_scale
    # Scaled evenly, then cut by the same amount on opposite sides.
    margin = torch.tensor([scale * width - clip.width, scale * height - clip.height]) / 2
    return Queries((queries.xy - torch.tensor([left, top])) * scale - margin, queries.frame)


def _from_arrays(path: Path, clip: Clip) -> Queries:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if _ARRAYS not in arrays.files:
                raise SettingsError(f"{path} has no array {_ARRAYS} [points, 3], only {', '.join(arrays.files)}")
            table = np.asarray(arrays[_ARRAYS], np.float64)
    except SettingsError:
        raise
    except UNREADABLE as error:
        raise SettingsError(f"{path} cannot be read ({error})") from error
    if table.ndim != 2 or table.shape[1] != 3 or not len(table) or not np.isfinite(table).all():
        raise SettingsError(f"{path}: {_ARRAYS} must be finite and of shape [points, 3], not {list(table.shape)}")
    return _queries([(x, y, frame_named(str(round(t)), clip)) for x, y, t in table.tolist()])


def _queries(rows: list[tuple[float, float, int]]) -> Queries:
    return Queries(torch.tensor([row[:2] for row in rows]), torch.tensor([row[2] for row in rows]))


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
