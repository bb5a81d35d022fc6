"""Waymo's open data set, converted: drives with sparse depth and the motion of everything that has a box.

Its records need Waymo's own package to be read; `scripts/convert_waymo.py` writes what training needs of them:

    SEGMENT/boxes.npz               vehicle [T,4,4] vehicle to world at each sweep of the lidar; of boxes, in the
                                    vehicle's axes (forward, left, up), NaN where one has no label: centre [T,O,3],
                                    size [T,O,3] along, across and up, heading [T,O] about up
    SEGMENT/CAMERA/camera.npz       K [3,3]; extrinsic [4,4] camera to vehicle, the camera's axes being forward, left
                                    and up; vehicle [T,4,4] vehicle to world when each picture was taken
    SEGMENT/CAMERA/rgb/%06d.jpg     undistorted pictures
    SEGMENT/CAMERA/lidar/%06d.npz   of points in the picture: pixel [P,2] (x, y), depth [P], the z-depth in metres, and
                                    labelled [P], false in zones where nobody labelled what moves

CAMERA is one of front, front_left, front_right, side_left and side_right.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float32, Float64, Int64
from torch import Tensor

from neoverse_ns.datafiles.finding import clip_name, folders_with, nothing_found
from neoverse_ns.datafiles.reading import checked_shape, image_size, read_arrays, read_rgb, rigid
from neoverse_ns.errors import ClipError
from neoverse_ns.geometry.se3 import assemble
from neoverse_ns.training.data.motion.rigid import rigid_displacement
from neoverse_ns.training.data.motion.view import View
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.sets.base import DataSet
from neoverse_ns.training.data.sets.folder import info_of, path_of, size_or_unknown
from neoverse_ns.training.data.truth import Displacement, FrameTruth, TruthClip

NAME = "waymo"
CAMERAS = ("front", "front_left", "front_right", "side_left", "side_right")
FURTHEST, FURTHEST_ASIDE = 8, 4
TRUSTED = 0.98
"""Depth beyond this quantile of a frame is left out: far points of a lidar are the least certain."""
MARGIN = 0.05
"""Metres by which things may stick out of their boxes, but not below, where the road is."""
_BOXES, _CAMERA = "boxes.npz", "camera.npz"
_FROM_OPENCV = torch.tensor([[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]], dtype=torch.float64)
"""Forward, left and up of right, down and forward."""


class Waymo(DataSet):
    """Every camera of every converted segment."""

    name: ClassVar[str] = NAME

    def find(self, folder: Path) -> list[ManifestRow]:
        segments = folders_with(folder, _BOXES)
        clips = [segment / camera for segment in segments for camera in CAMERAS if (segment / camera).is_dir()]
        if not clips:
            raise nothing_found(
                folder, NAME, f"SEGMENT/{_BOXES} and SEGMENT/front/, as scripts/convert_waymo.py writes"
            )
        return [_row(folder, clip) for clip in clips]

    def open(self, folder: Path, row: ManifestRow) -> TruthClip:
        return WaymoClip(path_of(folder, row), row)


class WaymoClip(TruthClip):
    """What one camera of a segment saw."""

    def __init__(self, folder: Path, row: ManifestRow) -> None:
        self.folder = folder
        furthest = FURTHEST_ASIDE if folder.name.startswith("side_") else FURTHEST
        self.info = info_of(row, furthest, depth_quantile=TRUSTED)
        file = folder / _CAMERA
        camera = read_arrays(file, {"K": (3, 3), "extrinsic": (4, 4), "vehicle": (row.frames, 4, 4)})
        self._K, extrinsic, vehicle = (_exact(camera[name]) for name in ("K", "extrinsic", "vehicle"))
        self._c2w = rigid(vehicle @ extrinsic @ _FROM_OPENCV, str(file))
        self._size = (row.width, row.height) if row.width else image_size(self._picture(0))
        self._boxes = _read_boxes(folder.parent / _BOXES, row.frames)
        self._poses = box_poses(self._boxes["vehicle"], self._boxes["centre"], self._boxes["heading"])

    def frame(self, index: int) -> FrameTruth:
        rgb = read_rgb(self._picture(index), self._size)
        return FrameTruth(rgb, self._K, self._c2w[index], self._points(index)[0])

    def displacement(self, index: int, other: int) -> Displacement | None:
        depth, labelled = self._points(index)
        view = View(torch.where(labelled, depth, 0), self._K, self._c2w[index])
        return rigid_displacement(view, self._instances(index, view), self._poses[index], self._poses[other])

    def _picture(self, index: int) -> Path:
        return self.folder / "rgb" / f"{index:06d}.jpg"

    def _points(
        self, index: int
    ) -> tuple[
        Float32[Tensor, "h w"],  # z-depth of the nearest point on a pixel, 0 where there is none
        Bool[Tensor, "h w"],  # what moves there has been labelled
    ]:
        path = self.folder / "lidar" / f"{index:06d}.npz"
        points = read_arrays(path, {"pixel": (None, 2), "depth": (None,), "labelled": (None,)})
        width, height = self._size
        x, y = points["pixel"].astype(np.int64).T
        depth, labelled = (checked_shape(points[name], x.shape, str(path)) for name in ("depth", "labelled"))
        if len(x) and not (x.min() >= 0 and x.max() < width and y.min() >= 0 and y.max() < height):
            raise ClipError(f"{path}: has points outside of the {width}x{height} picture")
        # The nearest last, so that it overwrites those behind it.
        usable = (np.isfinite(depth) & (depth > 0)).nonzero()[0]
        usable = usable[np.argsort(-depth[usable], kind="stable")]
        place = (y * width + x)[usable]
        nearest = np.zeros(height * width, dtype=np.float32)
        known = np.zeros(height * width, dtype=bool)
        nearest[place], known[place] = depth[usable], labelled[usable]
        return torch.from_numpy(nearest).view(height, width), torch.from_numpy(known).view(height, width)

    def _instances(self, index: int, view: View) -> Int64[Tensor, "h w"]:
        """Number of the box that each point lies in plus 1, and 0 for what lies in none."""
        numbers = torch.zeros(view.size, dtype=torch.int64)
        known = view.known
        numbers[known] = boxes_of(view.points[known], self._poses[index], self._boxes["size"][index]) + 1
        return numbers


def box_poses(
    vehicle: Float64[Tensor, "t 4 4"], centre: Float64[Tensor, "t o 3"], heading: Float64[Tensor, "t o"]
) -> Float64[Tensor, "t o 4 4"]:
    """Box to world, from the vehicle's poses and the boxes' places and headings (radians about up) in its axes."""
    zero, one = torch.zeros_like(heading), torch.ones_like(heading)
    cos, sin = heading.cos(), heading.sin()
    R = torch.stack([cos, -sin, zero, sin, cos, zero, zero, zero, one], dim=-1).unflatten(-1, (3, 3))
    return vehicle[:, None] @ assemble(R, centre)


def boxes_of(
    points: Float64[Tensor, "n 3"], poses: Float64[Tensor, "o 4 4"], sizes: Float64[Tensor, "o 3"]
) -> Int64[Tensor, " n"]:
    """Number of the smallest box that each world point lies in, -1 for none.

    Args:
        points: In the world.
        poses: Box to world; boxes whose pose is not finite hold nothing.
        sizes: Along the box's axes.
    """
    found = torch.full((len(points),), -1, dtype=torch.int64)
    volumes = sizes.prod(dim=1)
    there = torch.isfinite(poses).flatten(1).all(1) & torch.isfinite(volumes)
    # The smallest last, so that it overwrites those around it.
    for number in sorted(there.nonzero()[:, 0].tolist(), key=lambda number: -float(volumes[number])):
        pose, half = poses[number], sizes[number] / 2
        local = (points - pose[:3, 3]) @ pose[:3, :3]
        low = -half - local.new_tensor([MARGIN, MARGIN, 0])
        found[((local >= low) & (local <= half + MARGIN)).all(1)] = number
    return found


def _read_boxes(path: Path, frames: int) -> dict[str, Float64[Tensor, "..."]]:
    shapes: dict[str, tuple[int | None, ...]] = {
        "vehicle": (frames, 4, 4),
        "centre": (frames, None, 3),
        "size": (frames, None, 3),
        "heading": (frames, None),
    }
    boxes = read_arrays(path, shapes)
    count = boxes["heading"].shape[1]
    for name in ("centre", "size"):
        checked_shape(boxes[name], (frames, count, 3), f"{path}, '{name}'")
    rigid(_exact(boxes["vehicle"]), str(path))
    return {name: _exact(boxes[name]) for name in shapes}


def _exact(array: Any) -> Float64[Tensor, "..."]:
    return torch.from_numpy(np.asarray(array, dtype=np.float64))


def _row(folder: Path, clip: Path) -> ManifestRow:
    frames = len(list((clip / "rgb").glob("*.jpg")))
    width, height = size_or_unknown(clip / "rgb" / "000000.jpg")
    path = clip_name(folder, clip)
    return ManifestRow(
        id=path,
        dataset=NAME,
        source={"path": path},
        frames=frames,
        fps=10.0,
        width=width,
        height=height,
        has=frozenset({"pose", "depth", "motion"}),
        licence="Waymo Open Dataset licence (research)",
    )
