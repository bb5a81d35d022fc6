"""TUM's RGB-D recordings, and Bonn's, which are laid out alike: lists of times of pictures, depth and poses."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from neoverse_ns.datafiles.finding import clip_name, folders_with, nothing_found
from neoverse_ns.datafiles.rgbd_layouts import tum_lens
from neoverse_ns.datafiles.tum_lists import associate, read_list, read_trajectory
from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.missing import lacking
from neoverse_ns.evaluation.data.rgbd_scene import DepthPictures, FrameFiles, RgbdScene
from neoverse_ns.evaluation.data.scene import BenchmarkData

UNITS = 5000.0
"""Of depth pictures in a metre."""

EIGHT = tuple(
    f"rgbd_dataset_freiburg3_{people}_{path}"
    for people in ("sitting", "walking")
    for path in ("static", "xyz", "halfsphere", "rpy")
)
"""Recordings of Freiburg 3 with people, as camera benchmarks of moving scenes use them."""

NINE = ("rgbd_dataset_freiburg2_desk_with_person", *EIGHT)
"""All that the set files under dynamic objects."""

_LISTS = ("rgb.txt", "groundtruth.txt")


class Tum(BenchmarkData):
    """Every picture of `rgb.txt`, by time; those within 0.02 s of a pose have a camera, each pose used once."""

    name: ClassVar[str] = "tum"
    title: ClassVar[str] = "TUM RGB-D"
    origin: ClassVar[str] = "one archive per recording from the computer vision group of TU Munich, no account"
    licence: ClassVar[str] = "CC BY 4.0"
    published_scenes: ClassVar[tuple[str, ...]] = NINE

    def find(self, folder: Path) -> list[str]:
        found = folders_with(folder, *_LISTS, deepest=2) if folder.is_dir() else []
        if not found:
            raise nothing_found(folder, self.name, " and ".join(_LISTS))
        return [clip_name(folder, place) for place in found]

    def open(self, folder: Path, scene: str) -> RgbdScene:
        place = folder / scene
        if not all((place / name).is_file() for name in _LISTS):
            raise ClipError(f"{place}: is no recording with {' and '.join(_LISTS)}")
        times, pictures = read_list(place, "rgb.txt")
        if not len(times):
            raise ClipError(f"{place / 'rgb.txt'}: names no pictures")
        pose_times, poses = read_trajectory(place / "groundtruth.txt")
        with_pose = associate(times, pose_times)
        with_depth, depth = {}, []
        if (place / "depth.txt").is_file():
            depth_times, depth = read_list(place, "depth.txt")
            with_depth = associate(times, depth_times)
        order = sorted(range(len(times)), key=lambda at: times[at])
        files = [
            FrameFiles(
                pictures[at],
                depth[with_depth[at]] if at in with_depth else None,
                number,
                float(times[at] - times[order[0]]),
                poses[with_pose[at]] if at in with_pose else None,
            )
            for number, at in enumerate(order)
        ]
        lens, _ = tum_lens(place, files[0].colour)
        return RgbdScene(place.resolve().name if scene == "." else scene, place, files, lens, DepthPictures(UNITS))

    def missing(self, folder: Path, scene: str) -> list[str]:
        found = self.open(folder, scene)
        gone = lacking(found.folder, "pictures", (frame.name for frame in found.frames))
        if without := found.lacking_depth():
            gone.append(f"{found.name}: {len(without)} of {len(found.frames)} frames have no depth")
        return gone


class Bonn(Tum):
    """As TUM's. The lens bends lines a little, and benchmarks leave it so, in pictures and depth alike."""

    name: ClassVar[str] = "bonn"
    title: ClassVar[str] = "Bonn RGB-D Dynamic"
    origin: ClassVar[str] = "one archive per recording (rgbd_bonn_*) from the IPB group of the University of Bonn"
    licence: ClassVar[str] = "for research; see the site"
    published_scenes: ClassVar[tuple[str, ...]] = tuple(
        f"rgbd_bonn_{name}" for name in ("balloon2", "crowd2", "crowd3", "person_tracking2", "synchronous")
    )
