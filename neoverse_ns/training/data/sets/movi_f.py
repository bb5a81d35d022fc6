"""MOVi-F of Kubric: rigid things tossed into a scene, filmed by a camera that moves straight on.

The set comes as TFDS records. This reads them as plain archives, which `scripts/convert_movi_f.py` writes without
changing a value: `{train,validation}/EXAMPLE.npz` with the features' names joined by slashes, of which are used
`video` [T,H,W,3], `depth` [T,H,W,1] of 16 bits that span `metadata/depth_range`, `segmentations` [T,H,W,1] (0 is the
background, n is instance n - 1), `instances/positions` [O,T,3] and `instances/quaternions` [O,T,4] (wxyz) in the
world, `camera/focal_length`, `camera/sensor_width`, `camera/positions` [T,3] and `camera/quaternions` [T,4] in
Blender's axes (Greff et al., CVPR 2022).
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Float64, Shaped, UInt8
from torch import Tensor

from neoverse_ns.datafiles.reading import read_arrays
from neoverse_ns.errors import ClipError
from neoverse_ns.geometry import quaternions
from neoverse_ns.geometry.se3 import assemble
from neoverse_ns.training.data.motion.rigid import rigid_displacement
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.sets.base import DataSet
from neoverse_ns.training.data.sets.folder import info_of, must_find, path_of, source_of, split_of
from neoverse_ns.training.data.sets.npz import npz_entries, npz_rows
from neoverse_ns.training.data.sets.parts import PartsClip
from neoverse_ns.training.data.sets.ray_distance import z_depth
from neoverse_ns.training.data.truth import Displacement, Part

SMALL: dict[str, tuple[int | None, ...]] = {
    "metadata/depth_range": (2,),
    "camera/focal_length": (),
    "camera/sensor_width": (),
    "camera/positions": (None, 3),
    "camera/quaternions": (None, 4),
    "instances/positions": (None, None, 3),
    "instances/quaternions": (None, None, 4),
}
"""What is read at once, with its shape."""

LARGE = ("video", "depth", "segmentations")
"""What is read frame by frame."""

DEEPEST = 65535
FURTHEST = 4
FPS = 12.0
LICENCE = "CC BY 4.0"
HAS: frozenset[Part] = frozenset(("pose", "depth", "motion"))


class MoviF(DataSet):
    """The layout of MOVi-F as plain archives; those of MOVi-A to -E have the same features."""

    name = "movi_f"

    def find(self, folder: Path) -> list[ManifestRow]:
        paths = [path for depth in ("", "*/", "*/*/") for path in folder.glob(f"{depth}*.npz")]
        found = [row for path in paths if (row := _row(folder, path)) is not None]
        return must_find(found, folder, self.name, "SPLIT/EXAMPLE.npz as scripts/convert_movi_f.py writes it")

    def open(self, folder: Path, row: ManifestRow) -> MoviFClip:
        return MoviFClip(path_of(folder, row), row)


class MoviFClip(PartsClip):
    """One example."""

    def __init__(self, path: Path, row: ManifestRow) -> None:
        super().__init__(info_of(row, FURTHEST))
        self._path = path
        small = read_arrays(path, SMALL)
        entries = npz_entries(path)
        for name in LARGE:
            if name not in entries:
                raise ClipError(f"{path}: has no array '{name}'")
        self._size = (entries["video"].shape[2], entries["video"].shape[1])
        counts = {name: len(small[name]) for name in ("camera/positions", "camera/quaternions")}
        counts |= {name: small[name].shape[1] for name in ("instances/positions", "instances/quaternions")}
        counts |= {name: entries[name].shape[0] for name in LARGE}
        for name, count in counts.items():
            if count != row.frames:
                raise ClipError(f"{path}: '{name}' is of {count} frames where the clip has {row.frames}")
        self._range: list[float] = small["metadata/depth_range"].astype(np.float64).tolist()
        self._K = _intrinsics(float(small["camera/focal_length"]), float(small["camera/sensor_width"]), self._size)
        # Blender's cameras look along -z, with y up.
        blender = _poses(small["camera/positions"], small["camera/quaternions"])
        self._c2w = blender * blender.new_tensor([1.0, -1.0, -1.0, 1.0])
        self._things = _poses(small["instances/positions"], small["instances/quaternions"])

    def rgb(self, index: int) -> UInt8[Tensor, "h w 3"]:
        return torch.from_numpy(self._picture("video", index, np.dtype(np.uint8)))

    def depth(self, index: int) -> Float32[Tensor, "h w"]:
        values = torch.from_numpy(self._picture("depth", index, np.dtype(np.uint16)).astype(np.float64))
        low, high = self._range
        return z_depth(low + values[..., 0] / DEEPEST * (high - low), self._K)

    def camera(self, index: int) -> tuple[Float64[Tensor, "3 3"], Float64[Tensor, "4 4"]]:
        return self._K, self._c2w[index]

    def displacement(self, index: int, other: int) -> Displacement:
        view, _ = self.view(index), self.check(other)
        instances = torch.from_numpy(self._picture("segmentations", index).astype(np.int64))
        return rigid_displacement(view, instances[..., 0], self._things[:, index], self._things[:, other])

    def _picture(self, name: str, index: int, dtype: np.dtype | None = None) -> Shaped[np.ndarray, "h w c"]:
        (picture,) = npz_rows(self._path, name, [index])
        picture = picture[..., None] if picture.ndim == 2 else picture
        channels = 3 if name == "video" else 1
        if picture.shape != (self._size[1], self._size[0], channels) or dtype not in (None, picture.dtype):
            raise ClipError(f"{self._path}: '{name}' holds {picture.dtype} pictures of shape {picture.shape}")
        return picture


def _intrinsics(focal: float, sensor: float, size: tuple[int, int]) -> Float64[Tensor, "3 3"]:
    """Of a focal length and a sensor width in one unit; pixels are square."""
    width, height = size
    pixels = focal / sensor * width
    return torch.tensor([[pixels, 0, width / 2], [0, pixels, height / 2], [0, 0, 1]], dtype=torch.float64)


def _poses(positions: Any, rotations: Any) -> Float64[Tensor, "*batch 4 4"]:
    R = quaternions.to_matrix(torch.from_numpy(rotations.astype(np.float64)))
    return assemble(R, torch.from_numpy(positions.astype(np.float64)))


def _row(folder: Path, path: Path) -> ManifestRow | None:
    """An archive's row; None of one that is something else. A damaged one is told when it is opened."""
    frames, height, width = 24, 0, 0
    with suppress(ClipError):
        video = npz_entries(path).get("video")
        if video is None or len(video.shape) != 4:
            return None
        frames, height, width = video.shape[:3]
    name, source = source_of(folder, path)
    name = name.removesuffix(".npz")
    split = split_of(path, ("train", "validation", "test"))
    return ManifestRow(name, MoviF.name, source, frames, FPS, width, height, split=split, has=HAS, licence=LICENCE)
