"""Recordings of RGB-D cameras as folders of PNG files: 7-Scenes, TUM, ScanNet, and what is laid out like them."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from neoverse_ns.datafiles.finding import clip_name, folders_where, nothing_found
from neoverse_ns.datafiles.reading import image_size, read_rgb
from neoverse_ns.datafiles.rgbd_layouts import layout_of, read_sequence
from neoverse_ns.datafiles.rgbd_sequence import read_depth
from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.motion.static import static_displacement
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.sets.base import DataSet
from neoverse_ns.training.data.sets.folder import info_of, path_of, size_or_unknown
from neoverse_ns.training.data.truth import Displacement, FrameTruth, Part, TruthClip

NAME = "rgbd_png"
FURTHEST = 8
"""As CUT3R has it for ARKitScenes, which is filmed alike."""
_KNOWN: frozenset[Part] = frozenset({"pose", "depth"})


class RgbdPng(DataSet):
    """All recordings below a folder, of any of the three layouts."""

    name: ClassVar[str] = NAME

    def find(self, folder: Path) -> list[ManifestRow]:
        clips = folders_where(folder, lambda place: layout_of(place) is not None)
        if not clips:
            raise nothing_found(folder, NAME, "frame-000000.color.png; rgb.txt; or color/, depth/ and pose/")
        return [_row(folder, clip) for clip in clips]

    def open(self, folder: Path, row: ManifestRow) -> TruthClip:
        return RgbdClip(path_of(folder, row), row)

    def remarks(self, clip: TruthClip) -> list[str]:
        if not isinstance(clip, RgbdClip):
            return []
        moving = "nothing moves" if clip.info.static else "something moves, how is not known"
        return [f"its lens is from {clip.sequence.lens_of}", f"taken for a recording in which {moving}"]


class RgbdClip(TruthClip):
    """One recording. Where it is static its motion is zero; of others it is not known."""

    def __init__(self, folder: Path, row: ManifestRow) -> None:
        self.info = info_of(row, FURTHEST)
        self.sequence = read_sequence(folder)
        if len(self.sequence.colour) < row.frames:
            raise ClipError(f"{folder}: has {len(self.sequence.colour)} frames, not {row.frames}")

    def frame(self, index: int) -> FrameTruth:
        rgb = read_rgb(self.sequence.colour[index])
        height, width = rgb.shape[:2]
        K = self.sequence.lens.at(width, height)
        return FrameTruth(rgb, K, self.sequence.pose(index), read_depth(self.sequence, index, K, width, height))

    def displacement(self, index: int, other: int) -> Displacement | None:
        if not self.info.static:
            return None
        width, height = image_size(self.sequence.colour[index])
        K = self.sequence.lens.at(width, height)
        return static_displacement(read_depth(self.sequence, index, K, width, height))


def _row(folder: Path, clip: Path) -> ManifestRow:
    """A damaged recording gets a row without frames: what is wrong is told when it is opened."""
    path = clip_name(folder, clip)
    try:
        sequence = read_sequence(clip)
    except ClipError:
        return ManifestRow(path, NAME, {"path": path}, frames=0, fps=30.0, has=_KNOWN)
    width, height = size_or_unknown(sequence.colour[0])
    return ManifestRow(
        id=path,
        dataset=NAME,
        source={"path": path},
        frames=len(sequence.colour),
        fps=sequence.fps,
        width=width,
        height=height,
        split=sequence.split,
        static=sequence.static,
        has=_KNOWN,
    )
