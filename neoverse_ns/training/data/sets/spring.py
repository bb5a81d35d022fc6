"""Spring: scenes of a film with stereo disparity and optical flow at twice the pictures' size.

`train/00NN/` holds `frame_left/frame_left_%04d.png` from 1 on, `disp1_left/disp1_left_%04d.dsp5`,
`disp2_{FW,BW}_left/*.dsp5` (disparity of the same surface at the next or previous frame), `flow_{FW,BW}_left/*.flo5`,
`cam_data/intrinsics.txt` (fx fy cx cy a line) and `cam_data/extrinsics.txt` (16 numbers a line, world to camera).
Values are in pixels of the pictures, sampled twice as densely, of which every second is taken. Sky has no disparity
(Mehl et al., CVPR 2023).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Float64, Shaped, UInt8
from torch import Tensor

from neoverse_ns.datafiles.finding import folders_with
from neoverse_ns.datafiles.reading import read_rgb, read_table, rigid
from neoverse_ns.errors import ClipError
from neoverse_ns.geometry.se3 import se3_inverse
from neoverse_ns.training.data.motion.flow_chain import chain_links
from neoverse_ns.training.data.motion.flow_link import FlowLink, link_from_flow
from neoverse_ns.training.data.motion.static import static_displacement
from neoverse_ns.training.data.motion.view import View
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.sets.base import DataSet
from neoverse_ns.training.data.sets.folder import (
    info_of,
    must_find,
    numbers_in,
    path_of,
    size_or_unknown,
    source_of,
    split_of,
)
from neoverse_ns.training.data.sets.hdf5 import read_hdf5
from neoverse_ns.training.data.sets.parts import PartsClip
from neoverse_ns.training.data.truth import Displacement, Part

BASELINE = 0.065
"""Between the two eyes, metres."""

FURTHEST = 16
FPS = 24.0
LICENCE = "CC BY 4.0"
HAS: frozenset[Part] = frozenset(("pose", "depth", "motion"))


class Spring(DataSet):
    """The layout of Spring; scenes of its test split have no truth and are left out."""

    name = "spring"

    def find(self, folder: Path) -> list[ManifestRow]:
        paths = folders_with(folder, "frame_left", "cam_data", "disp1_left")
        found = [row for path in paths if (row := _row(folder, path)) is not None]
        return must_find(found, folder, self.name, "0001/frame_left/frame_left_0001.png, 0001/{cam_data,disp1_left}")

    def open(self, folder: Path, row: ManifestRow) -> SpringClip:
        return SpringClip(path_of(folder, row), row)


class SpringClip(PartsClip):
    """The left eye's frames of one scene."""

    def __init__(self, path: Path, row: ManifestRow) -> None:
        super().__init__(info_of(row, FURTHEST))
        self._path = path
        self._lenses = _table(path / "cam_data" / "intrinsics.txt", 4, row.frames)
        poses = path / "cam_data" / "extrinsics.txt"
        self._c2w = se3_inverse(rigid(_table(poses, 16, row.frames).view(-1, 4, 4), str(poses)))

    def rgb(self, index: int) -> UInt8[Tensor, "h w 3"]:
        return read_rgb(self._path / "frame_left" / f"frame_left_{index + 1:04d}.png")

    def depth(self, index: int) -> Float32[Tensor, "h w"]:
        return self._depth_of("disp1_left", index, index)

    def camera(self, index: int) -> tuple[Float64[Tensor, "3 3"], Float64[Tensor, "4 4"]]:
        fx, fy, cx, cy = self._lenses[index].tolist()
        return torch.tensor([[fx, 0, cx], [0, fy, cy], [0, 0, 1]], dtype=torch.float64), self._c2w[index]

    def displacement(self, index: int, other: int) -> Displacement:
        self.check(other)
        if index == other:
            return static_displacement(self.view(index).depth)
        # A frame on the way is the end of one link and the start of the next.
        view = lru_cache(maxsize=2)(self.view)
        return chain_links(index, other, lambda start, end: self._link(start, end, view))

    def _link(self, index: int, other: int, view: Callable[[int], View]) -> FlowLink:
        way, back = ("FW", "BW") if other > index else ("BW", "FW")
        return link_from_flow(
            view(index),
            view(other),
            torch.from_numpy(self._map(f"flow_{way}_left", "flo5", "flow", index)),
            backward=torch.from_numpy(self._map(f"flow_{back}_left", "flo5", "flow", other)),
            depth_then=self._depth_of(f"disp2_{way}_left", index, other),
        )

    def _depth_of(self, name: str, index: int, camera: int) -> Float32[Tensor, "h w"]:
        """Depth by the disparity files of a folder, as the camera of a frame measures it; 0 where there is none."""
        disparity = torch.from_numpy(self._map(name, "dsp5", "disparity", index))
        known = torch.isfinite(disparity) & (disparity > 0)
        fx = float(self._lenses[camera, 0])
        return torch.where(known, fx * BASELINE / torch.where(known, disparity, 1), 0).float()

    def _map(self, name: str, suffix: str, key: str, index: int) -> Shaped[np.ndarray, "h w *c"]:
        path = self._path / name / f"{name}_{index + 1:04d}.{suffix}"
        values = read_hdf5(path, key)
        if values.ndim != (3 if key == "flow" else 2) or (key == "flow" and values.shape[2] != 2):
            raise ClipError(f"{path}: '{key}' has shape {values.shape}")
        return values[::2, ::2].astype(np.float64)


def _table(path: Path, columns: int, frames: int) -> Float64[Tensor, "frames columns"]:
    table = torch.from_numpy(read_table(path, columns))
    if len(table) != frames:
        raise ClipError(f"{path}: is of {len(table)} frames, but there are {frames} pictures")
    return table


def _row(folder: Path, path: Path) -> ManifestRow | None:
    numbers = numbers_in(path / "frame_left", r"frame_left_(\d+)\.png")
    if not numbers:
        return None
    width, height = size_or_unknown(path / "frame_left" / f"frame_left_{numbers[0]:04d}.png")
    name, source = source_of(folder, path)
    split = split_of(path, ("train", "test"))
    return ManifestRow(
        name, Spring.name, source, len(numbers), FPS, width, height, split=split, has=HAS, licence=LICENCE
    )
