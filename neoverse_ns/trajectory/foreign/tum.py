"""Paths in the TUM RGB-D format: a line per camera of time, centre and camera-to-world quaternion xyzw."""

from __future__ import annotations

import math
import re
from pathlib import Path

import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry import quaternions
from neoverse_ns.geometry.se3 import assemble
from neoverse_ns.trajectory.foreign.path import ForeignPath

_NANOSECONDS = 1e14
"""Times above this, some three million years in seconds, are nanoseconds, as some recorders count."""

_NOTE = re.compile(r"# neoverse path(?: at (\d+\.?\d*(?:e[+-]?\d+)?) frames per second)?")


def path_note(fps: float | None) -> str:
    """The comment that tells a path of ours in a scene's own world from a clip's cameras.

    Args:
        fps: Frames per second, where seconds are those of a new video; None where they are the clip's.
    """
    return "# neoverse path" if fps is None else f"# neoverse path at {fps!r} frames per second"


def read_tum(path: Path) -> ForeignPath:
    """Read a path; lines may be in any order of time.

    Of a path of ours that tells its rate it is not known which moments of the clip it shows.

    Raises:
        SettingsError: The file cannot be read, or a line is no camera; names it.
    """
    try:
        lines = path.read_text("utf8").splitlines()
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be read as text: {error}") from error
    rows = []
    for number, line in enumerate(lines, 1):
        words = line.replace(",", " ").split()
        if not words or words[0].startswith("#"):
            continue
        rows.append(_row(words, f"{path}, line {number}"))
    if not rows:
        raise SettingsError(f"{path} holds no camera: a TUM file has lines of 'time tx ty tz qx qy qz qw'")
    values = torch.tensor(sorted(rows), dtype=torch.float64)
    times = values[:, 0] / (1e9 if float(values[0, 0].abs()) > _NANOSECONDS else 1)
    rotation = quaternions.to_matrix(values[:, [7, 4, 5, 6]])
    c2w = assemble(rotation, values[:, 1:4])
    note = next((found for line in lines if (found := _NOTE.fullmatch(line.strip()))), None)
    if note is not None and note[1] is not None and float(note[1]) > 0:
        return ForeignPath(c2w, fps=float(note[1]), own_world=True)
    return ForeignPath(c2w, times=times, own_world=note is not None)


def _row(words: list[str], where: str) -> list[float]:
    try:
        row = [float(word) for word in words]
    except ValueError:
        row = []
    if len(row) != 8 or not all(math.isfinite(value) for value in row):
        raise SettingsError(f"{where}: a TUM file has 8 finite numbers in a line, time tx ty tz qx qy qz qw")
    if sum(value * value for value in row[4:]) < 1e-6:
        raise SettingsError(f"{where}: the quaternion is zero")
    return row
