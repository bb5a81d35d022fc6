"""TartanAir: rendered flights with depth and poses; what moves in them is not annotated.

Layout (Wang et al. 2020, arXiv 2003.14338, version 1): `ENVIRONMENT/{Easy,Hard}/P%03d/` holds
`image_left/%06d_left.png`, `depth_left/%06d_left_depth.npy` and `pose_left.txt`. The optical flow that comes with it is
computed of depth and cameras, so that it says nothing about what moves.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import torch
from jaxtyping import Float32, Float64
from torch import Tensor

from neoverse_ns.datafiles.finding import clip_name, folders_with, nothing_found
from neoverse_ns.datafiles.intrinsics import pinhole, scaled
from neoverse_ns.datafiles.reading import checked_shape, read_array, read_rgb, read_table, rigid
from neoverse_ns.geometry import quaternions
from neoverse_ns.geometry.se3 import assemble
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.sets.base import DataSet
from neoverse_ns.training.data.sets.folder import info_of, path_of, size_or_unknown
from neoverse_ns.training.data.truth import FrameTruth, Part, TruthClip

NAME = "tartan_air"
SKY = 1000.0
"""Depth in metres from which on it is the sky's."""
FURTHEST = 20
TRUSTED = 0.98
"""Depth beyond this quantile of a frame is left out, as CUT3R does."""
_SIZE = (640, 480)
_K = pinhole(320.0, 320.0, 320.0, 240.0)
_POSES, _RGB, _DEPTH = "pose_left.txt", "image_left", "depth_left"


class TartanAir(DataSet):
    """The left camera of every flight."""

    name: ClassVar[str] = NAME

    def find(self, folder: Path) -> list[ManifestRow]:
        clips = folders_with(folder, _POSES, _RGB, deepest=4)
        if not clips:
            raise nothing_found(folder, NAME, f"ENVIRONMENT/Easy/P000/ with {_RGB} and {_POSES}")
        return [_row(folder, clip) for clip in clips]

    def open(self, folder: Path, row: ManifestRow) -> TruthClip:
        return TartanAirClip(path_of(folder, row), row)


class TartanAirClip(TruthClip):
    """One flight."""

    def __init__(self, folder: Path, row: ManifestRow) -> None:
        self.folder = folder
        self.info = info_of(row, FURTHEST, depth_quantile=TRUSTED)
        poses = checked_shape(read_table(folder / _POSES, 7), (row.frames, 7), str(folder / _POSES))
        self._c2w = rigid(from_ned(torch.from_numpy(poses)), str(folder / _POSES))

    def frame(self, index: int) -> FrameTruth:
        rgb = read_rgb(self.folder / _RGB / f"{index:06d}_left.png")
        height, width = rgb.shape[:2]
        depth = self._depth(index, height, width) if "depth" in self.info.has else None
        return FrameTruth(rgb, scaled(_K, _SIZE, (width, height)), self._c2w[index], depth)

    def _depth(self, index: int, height: int, width: int) -> Float32[Tensor, "h w"]:
        depth = read_array(self.folder / _DEPTH / f"{index:06d}_left_depth.npy", (height, width))
        depth = torch.from_numpy(depth).float()
        return torch.where(torch.isfinite(depth) & (depth < SKY), depth, 0)


def from_ned(poses: Float64[Tensor, "t 7"]) -> Float64[Tensor, "t 4 4"]:
    """Camera to world, OpenCV axes, of places and quaternions (x, y, z, w) of a body whose axes are forward, right and
    down. The world keeps its axes (north, east, down)."""
    body = assemble(quaternions.to_matrix(poses[:, [6, 3, 4, 5]]), poses[:, :3])
    return body[:, :, [1, 2, 0, 3]]


def _row(folder: Path, clip: Path) -> ManifestRow:
    frames = len(list((clip / _RGB).glob("*_left.png")))
    width, height = size_or_unknown(clip / _RGB / "000000_left.png")
    has: set[Part] = {"pose"}
    if (clip / _DEPTH).is_dir():
        has.add("depth")
    path = clip_name(folder, clip)
    return ManifestRow(
        id=path,
        dataset=NAME,
        source={"path": path},
        frames=frames,
        fps=10.0,
        width=width,
        height=height,
        has=frozenset(has),
        licence="CC BY 4.0",
    )
