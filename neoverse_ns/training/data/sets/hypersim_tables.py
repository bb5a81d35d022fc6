"""HyperSim's tables: projections of its scenes, their units, and its split."""

from __future__ import annotations

import csv
import io
from functools import lru_cache
from pathlib import Path

import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.datafiles.reading import read_text
from neoverse_ns.errors import ClipError

PROJECTIONS = "metadata_camera_parameters.csv"
SPLITS = "metadata_images_split_scene_v1.csv"

_SHEAR = 1e-6


def projections(folder: Path) -> dict[str, Float64[Tensor, "4 4"]]:
    """Projection of every scene, from camera axes to normalised device coordinates, both as in OpenGL.

    Args:
        folder: That holds the table, or whose parent or `scenes` does.

    Raises:
        ClipError: There is no such table, or it is another.
    """
    for place in (folder, folder / "scenes", folder.parent):
        if (place / PROJECTIONS).is_file():
            return _projections(place / PROJECTIONS, (place / PROJECTIONS).stat().st_mtime_ns)
    raise ClipError(
        f"{folder / PROJECTIONS}: is missing; it lies in contrib/mikeroberts3000 of github.com/apple/ml-hypersim "
        "and tells which scenes were filmed through a tilted lens"
    )


def is_sheared(projection: Float64[Tensor, "4 4"]) -> bool:
    """Whether a picture's axes are not at right angles, or its plane is tilted, so that no pinhole camera takes it."""
    numbers = projection / projection.abs().max()
    odd = torch.stack([numbers[0, 1], numbers[1, 0], numbers[3, 0], numbers[3, 1]])
    return bool((odd.abs() > _SHEAR).any()) or not projection[3, 2] < 0


def pinhole_of(projection: Float64[Tensor, "4 4"], width: int, height: int) -> Float64[Tensor, "3 3"]:
    """Intrinsics in pixels, pixel centres at +0.5, of a projection that is not sheared."""
    P = projection / -projection[3, 2]
    # Device coordinates grow to the right and up, pixels to the right and down; OpenGL looks along -z.
    fx, fy = P[0, 0].item() * width / 2, P[1, 1].item() * height / 2
    cx, cy = (1 - P[0, 2].item()) * width / 2, (1 + P[1, 2].item()) * height / 2
    return torch.tensor([[fx, 0, cx], [0, fy, cy], [0, 0, 1]], dtype=torch.float64)


def metres_a_unit(scene: Path) -> float:
    """Metres that one of a scene's own units is long.

    Raises:
        ClipError: Its table is missing or does not say it.
    """
    path = scene / "_detail" / "metadata_scene.csv"
    for row in csv.reader(io.StringIO(read_text(path))):
        if len(row) > 1 and row[0].strip() == "meters_per_asset_unit":
            return _number(path, row[1])
    raise ClipError(f"{path}: does not say meters_per_asset_unit")


def splits(folder: Path) -> dict[str, str]:
    """Split of every scene by the authors' table; empty where it does not lie beside the scenes."""
    for place in (folder, folder / "scenes", folder.parent):
        if (place / SPLITS).is_file():
            rows = csv.DictReader(io.StringIO(read_text(place / SPLITS)))
            return {row["scene_name"]: row["split_partition_name"] for row in rows if row.get("split_partition_name")}
    return {}


@lru_cache(maxsize=4)
def _projections(path: Path, _changed: int) -> dict[str, Float64[Tensor, "4 4"]]:
    table = csv.DictReader(io.StringIO(read_text(path)))
    names = [f"M_proj_{row}{column}" for row in range(4) for column in range(4)]
    missing = [name for name in ("scene_name", *names) if name not in (table.fieldnames or ())]
    if missing:
        raise ClipError(f"{path}: has no column '{missing[0]}'")
    found = {}
    for row in table:
        numbers = [_number(path, row[name]) for name in names]
        found[row["scene_name"]] = torch.tensor(numbers, dtype=torch.float64).view(4, 4)
    return found


def _number(path: Path, text: str) -> float:
    try:
        return float(text)
    except (TypeError, ValueError) as error:
        raise ClipError(f"{path}: '{text}' is no number") from error
