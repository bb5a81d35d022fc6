"""Lists of times as TUM's RGB-D recordings have them, and what of two lists belongs together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.datafiles.reading import read_table, read_text, rigid
from neoverse_ns.errors import ClipError
from neoverse_ns.geometry import quaternions
from neoverse_ns.geometry.se3 import assemble
from neoverse_ns.inside import inside

TOLERANCE = 0.02
"""Seconds that entries of two lists which belong together may lie apart."""


def associate(
    first: Float64[np.ndarray, " n"], second: Float64[np.ndarray, " m"], tolerance: float = TOLERANCE
) -> dict[int, int]:
    """Which entries belong together: pairs in order of their distance in time, each entry in one of them."""
    order = np.argsort(second, kind="stable")
    lowest = np.searchsorted(second[order], first - tolerance)
    highest = np.searchsorted(second[order], first + tolerance, side="right")
    pairs = [(abs(first[i] - second[j]), i, j) for i in range(len(first)) for j in order[lowest[i] : highest[i]]]
    found: dict[int, int] = {}
    taken: set[int] = set()
    for _, i, j in sorted(pairs):
        if i not in found and j not in taken:
            found[i] = int(j)
            taken.add(j)
    return found


def read_list(folder: Path, name: str) -> tuple[Float64[np.ndarray, " n"], list[Path]]:
    """Times and files of a list such as `rgb.txt`, as it has them.

    Raises:
        ClipError: It is missing, or its lines are something else.
    """
    lines = [line.split() for line in read_text(folder / name).splitlines() if line.strip() and line[0] != "#"]
    try:
        times = np.array([float(time) for time, _ in lines], dtype=np.float64)
        return times, [inside(folder, file, also=folder.resolve()) for _, file in lines]
    except ValueError as error:
        raise ClipError(f"{folder / name}: its lines are not times and files in {folder} ({error})") from error


def read_trajectory(
    path: Path,
) -> tuple[
    Float64[np.ndarray, " n"],  # seconds
    Float64[Tensor, "n 4 4"],  # camera to world
]:
    """Times and poses of a file such as `groundtruth.txt` (timestamp tx ty tz qx qy qz qw).

    Raises:
        ClipError: It is missing or no such table.
    """
    table = read_table(path, 8)
    known = torch.from_numpy(table)
    return table[:, 0], rigid(assemble(quaternions.to_matrix(known[:, [7, 4, 5, 6]]), known[:, 1:4]), str(path))
