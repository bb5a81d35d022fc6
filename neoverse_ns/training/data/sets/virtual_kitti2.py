"""Virtual KITTI 2: rendered drives with the poses of all vehicles, which give motion for any gap.

Layout (Cabon, Murray and Humenberger 2020, arXiv 2001.10773, and its web page): `SceneXX/VARIATION/` holds
`intrinsic.txt`, `extrinsic.txt` (world to camera) and `pose.txt` (of vehicles), and `frames/KIND/Camera_0/` the
pictures. The archives unpack into one another.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float32, Float64, Int64
from torch import Tensor

from neoverse_ns.datafiles.finding import clip_name, folders_with, nothing_found
from neoverse_ns.datafiles.intrinsics import pinhole
from neoverse_ns.datafiles.reading import (
    image_size,
    read_deep_png,
    read_numbers_png,
    read_rgb,
    read_table,
    rigid,
)
from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.motion.rigid import rigid_displacement
from neoverse_ns.training.data.motion.view import View
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.sets.base import DataSet
from neoverse_ns.training.data.sets.folder import info_of, path_of, size_or_unknown
from neoverse_ns.training.data.truth import Displacement, FrameTruth, Part, TruthClip

NAME = "virtual_kitti2"
CAMERA = 0
SKY = 655.0
"""Depth in metres from which on it is the sky's."""
FURTHEST = 5
_METRES_A_STEP = 0.01
_RGB, _DEPTH, _INSTANCES = (f"frames/{kind}/Camera_{CAMERA}" for kind in ("rgb", "depth", "instanceSegmentation"))


class VirtualKitti2(DataSet):
    """Camera 0 of every scene and variation."""

    name: ClassVar[str] = NAME

    def find(self, folder: Path) -> list[ManifestRow]:
        clips = folders_with(folder, _RGB)
        if not clips:
            raise nothing_found(folder, NAME, f"SceneXX/VARIATION/{_RGB}")
        return [_row(folder, clip) for clip in clips]

    def open(self, folder: Path, row: ManifestRow) -> TruthClip:
        return VirtualKittiClip(path_of(folder, row), row)

    def remarks(self, clip: TruthClip) -> list[str]:
        # Training reads no flow, and this module no more than training needs.
        from neoverse_ns.training.data.sets.virtual_kitti2_flow import remarks_on

        return remarks_on(clip) if isinstance(clip, VirtualKittiClip) else []


class VirtualKittiClip(TruthClip):
    """One drive. Its pictures are not drawn in training: they show what depth and poses do not."""

    def __init__(self, folder: Path, row: ManifestRow) -> None:
        self.folder = folder
        self.info = info_of(row, FURTHEST, render_weight=0.0)
        self._size = (row.width, row.height) if row.width else image_size(self._picture(0))
        self._K = _cameras(folder / "intrinsic.txt", 4, row.frames)
        w2c = _cameras(folder / "extrinsic.txt", 16, row.frames)
        self.w2c = rigid(torch.from_numpy(w2c).view(-1, 4, 4), str(folder / "extrinsic.txt"))
        self._poses = vehicle_poses(folder / "pose.txt", row.frames) if "motion" in row.has else None

    def frame(self, index: int) -> FrameTruth:
        rgb = read_rgb(self._picture(index), self._size)
        depth = self.depth(index) if "depth" in self.info.has else None
        return FrameTruth(rgb, self._intrinsics(index), torch.linalg.inv(self.w2c[index]), depth)

    def depth(self, index: int) -> Float32[Tensor, "h w"]:
        """z-depth of a frame in metres, 0 for the sky."""
        steps = read_deep_png(self._file(_DEPTH, "depth", index, "png"))
        depth = torch.from_numpy(steps.astype(np.float32)) * _METRES_A_STEP
        return torch.where(depth < SKY, depth, 0)

    def view(self, index: int) -> View:
        """Depth and camera of a frame."""
        return View(self.depth(index), self._intrinsics(index), torch.linalg.inv(self.w2c[index]))

    def instances(self, index: int) -> Int64[Tensor, "h w"]:
        """Number of the vehicle that a pixel shows plus 1, and 0 for what is none."""
        return torch.from_numpy(read_numbers_png(self._file(_INSTANCES, "instancegt", index, "png")).astype(np.int64))

    def displacement(self, index: int, other: int) -> Displacement | None:
        if self._poses is None:
            return None
        return rigid_displacement(self.view(index), self.instances(index), self._poses[index], self._poses[other])

    def _intrinsics(self, index: int) -> Float64[Tensor, "3 3"]:
        fx, fy, cx, cy = self._K[index].tolist()
        return pinhole(fx, fy, cx, cy, self._size)

    def _picture(self, index: int) -> Path:
        return self._file(_RGB, "rgb", index, "jpg")

    def _file(self, place: str, kind: str, index: int, suffix: str) -> Path:
        return self.folder / place / f"{kind}_{index:05d}.{suffix}"


def vehicle_poses(path: Path, frames: int) -> Float64[Tensor, "t o 4 4"]:
    """Vehicle to world of every vehicle at every frame, by frame and number; NaN where a vehicle is not listed.

    The file gives the middle of a vehicle's underside and three angles, about y (down), x and z, of which turns about
    the nearest of its own axes come first: R = R_y R_x R_z. Among still cameras only the change of a pose counts.

    Raises:
        ClipError: It cannot be read, or holds no such table.
    """
    table = read_table(path, 19, header=1)
    table = table[(table[:, 1] == CAMERA) & (table[:, 0] < frames)]
    count = int(table[:, 2].max(initial=-1)) + 1
    poses = torch.full((frames, count, 4, 4), torch.nan, dtype=torch.float64)
    rows = torch.eye(4, dtype=torch.float64).repeat(len(table), 1, 1)
    values = torch.from_numpy(table)
    rows[:, :3, :3] = rotations(values[:, 10:13])
    rows[:, :3, 3] = values[:, 7:10]
    poses[values[:, 0].long(), values[:, 2].long()] = rows
    return poses


def rotations(angles: Float64[Tensor, "n 3"]) -> Float64[Tensor, "n 3 3"]:
    """R_y R_x R_z of angles about y, x and z in radians."""
    return _about(1, angles[:, 0]) @ _about(0, angles[:, 1]) @ _about(2, angles[:, 2])


def _about(axis: int, angle: Float64[Tensor, " n"]) -> Float64[Tensor, "n 3 3"]:
    """Rotations about a coordinate axis, in radians."""
    following, last = (axis + 1) % 3, (axis + 2) % 3
    R = torch.zeros(len(angle), 3, 3, dtype=torch.float64)
    R[:, axis, axis] = 1
    R[:, following, following] = R[:, last, last] = angle.cos()
    R[:, last, following] = angle.sin()
    R[:, following, last] = -angle.sin()
    return R


def _cameras(path: Path, numbers: int, frames: int) -> Float64[np.ndarray, "t n"]:
    """The lines of one camera, which begin with frame and camera."""
    table = read_table(path, numbers + 2, header=1)
    table = table[table[:, 1] == CAMERA]
    table = table[np.argsort(table[:, 0], kind="stable")]
    if len(table) < frames or not np.array_equal(table[:frames, 0], np.arange(frames)):
        raise ClipError(f"{path}: does not list camera {CAMERA} for each of the {frames} frames")
    return np.ascontiguousarray(table[:frames, 2:])


def _row(folder: Path, clip: Path) -> ManifestRow:
    pictures = sorted((clip / _RGB).glob("rgb_*.jpg"))
    if not pictures:
        raise ClipError(f"{clip / _RGB} holds no pictures rgb_00000.jpg and so on")
    width, height = size_or_unknown(pictures[0])
    has: set[Part] = {"pose"}
    if (clip / _DEPTH).is_dir():
        has.add("depth")
        if (clip / "pose.txt").is_file() and (clip / _INSTANCES).is_dir():
            has.add("motion")
    path = clip_name(folder, clip)
    return ManifestRow(
        id=path,
        dataset=NAME,
        source={"path": path},
        frames=len(pictures),
        fps=10.0,
        width=width,
        height=height,
        has=frozenset(has),
        licence="CC BY-NC-SA 3.0",
    )
