"""PointOdyssey: rendered scenes with people and things, followed by tens of thousands of tracks.

`{train,val,test}/SEQ/` holds `rgbs/rgb_%05d.jpg`, `depths/depth_%05d.png` of 16 bits, of which 65535 are 1000 m and
stand for the sky, and `anno.npz` with `intrinsics` [T,3,3], `extrinsics` [T,4,4] (world to camera, OpenCV axes),
`trajs_2d` [T,P,2], `trajs_3d` [T,P,3] in the world, `visibs` and `valids` [T,P] (Zheng et al., ICCV 2023).
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Float64, UInt8
from torch import Tensor

from neoverse_ns.datafiles.finding import folders_with
from neoverse_ns.datafiles.reading import read_arrays, read_deep_png, read_rgb, rigid
from neoverse_ns.errors import ClipError
from neoverse_ns.geometry.se3 import se3_inverse
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
from neoverse_ns.training.data.sets.npz import NpzEntry, npz_entries, npz_rows
from neoverse_ns.training.data.sets.parts import PartsClip
from neoverse_ns.training.data.sets.tracked import FrameTracks, checked_displacement, remark_on_tracks
from neoverse_ns.training.data.truth import Displacement, Part, TruthClip

SPLITS = ("train", "val", "test")

SKY = 65535
"""Depth value of the sky."""

METRES = 1000.0 / SKY
"""Of one step of the depth pictures."""

FEWEST_TRACKS = 33
"""Sequences with fewer are left out: their annotations are not whole."""

FURTHEST = 4
FPS = 30.0
LICENCE = "MIT (hub card), CC BY-NC-SA 4.0 (README of its code)"
HAS: frozenset[Part] = frozenset(("pose", "depth", "motion"))


class PointOdyssey(DataSet):
    """The layout of PointOdyssey."""

    name = "point_odyssey"

    def find(self, folder: Path) -> list[ManifestRow]:
        found = [row for path in folders_with(folder, "rgbs") if (row := _row(folder, path)) is not None]
        return must_find(found, folder, self.name, "SEQ/rgbs/rgb_00000.jpg, SEQ/anno.npz with tracks")

    def open(self, folder: Path, row: ManifestRow) -> PointOdysseyClip:
        return PointOdysseyClip(path_of(folder, row), row)

    def remarks(self, clip: TruthClip) -> list[str]:
        if not isinstance(clip, PointOdysseyClip) or "motion" not in clip.info.has:
            return []
        middle = clip.info.frames // 2
        return [remark_on_tracks(clip.view(middle), clip.tracks(middle)[0])]


class PointOdysseyClip(PartsClip):
    """One sequence. Its tracks stay on disk: those of a long one take gigabytes."""

    def __init__(self, path: Path, row: ManifestRow) -> None:
        # Poses and pictures do not fit well enough for drawings to be held against the pictures.
        super().__init__(info_of(row, FURTHEST, render_weight=0.0))
        self._path, self._notes = path, path / "anno.npz"
        cameras = read_arrays(self._notes, {"intrinsics": (None, 3, 3), "extrinsics": (None, 4, 4)})
        for name, found in cameras.items():
            if len(found) != row.frames:
                raise ClipError(
                    f"{self._notes}: '{name}' is of {len(found)} frames, but there are {row.frames} pictures"
                )
        self._K = torch.from_numpy(cameras["intrinsics"]).double()
        self._w2c = rigid(torch.from_numpy(cameras["extrinsics"]).double(), f"{self._notes}, 'extrinsics'")

    def rgb(self, index: int) -> UInt8[Tensor, "h w 3"]:
        return read_rgb(self._path / "rgbs" / f"rgb_{index:05d}.jpg")

    def depth(self, index: int) -> Float32[Tensor, "h w"]:
        values = read_deep_png(self._path / "depths" / f"depth_{index:05d}.png")
        return torch.from_numpy(np.where(values == SKY, 0, values * METRES).astype(np.float32))

    def camera(self, index: int) -> tuple[Float64[Tensor, "3 3"], Float64[Tensor, "4 4"]]:
        return self._K[index], se3_inverse(self._w2c[index])

    def displacement(self, index: int, other: int) -> Displacement | None:
        if "motion" not in self.info.has:
            return None
        view, other_view = self.view(index), self.view(other)
        tracks, later = self.tracks(index, other)
        return checked_displacement(view, other_view, tracks, later)

    def tracks(self, *frames: int) -> list[FrameTracks]:
        """All tracks, in each of some frames.

        Raises:
            ClipError: The archive is damaged, or its arrays are not of the same tracks.
        """
        rows = {
            name: [torch.from_numpy(row) for row in npz_rows(self._notes, name, frames)]
            for name in ("trajs_3d", "trajs_2d", "visibs", "valids")
        }
        counts = {len(row) for both in rows.values() for row in both}
        if len(counts) != 1:
            raise ClipError(f"{self._notes}: its arrays are of {' and '.join(map(str, sorted(counts)))} tracks")
        return [
            FrameTracks(places.double(), uv.double(), None, visible.bool() & valid.bool(), valid.bool())
            for places, uv, visible, valid in zip(*rows.values(), strict=True)
        ]


def _row(folder: Path, path: Path) -> ManifestRow | None:
    """A sequence's row; None where it has no tracks to speak of. A damaged one is told when it is opened."""
    numbers = numbers_in(path / "rgbs", r"rgb_(\d+)\.jpg")
    if not numbers:
        return None
    with suppress(ClipError):
        if _count_tracks(npz_entries(path / "anno.npz")) < FEWEST_TRACKS:
            return None
    name, source = source_of(folder, path)
    split = split_of(path, SPLITS)
    width, height = size_or_unknown(path / "rgbs" / f"rgb_{numbers[0]:05d}.jpg")
    return ManifestRow(
        name, PointOdyssey.name, source, len(numbers), FPS, width, height, split=split, has=HAS, licence=LICENCE
    )


def _count_tracks(entries: dict[str, NpzEntry]) -> int:
    """How many tracks every array has."""
    shapes = [entries[name].shape if name in entries else () for name in ("trajs_2d", "trajs_3d", "visibs", "valids")]
    return min(shape[1] if len(shape) > 1 else 0 for shape in shapes)
