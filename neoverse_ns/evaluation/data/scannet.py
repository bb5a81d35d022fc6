"""ScanNet's recordings, written out as one file a picture."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from neoverse_ns.datafiles.finding import clip_name, folders_with, nothing_found
from neoverse_ns.datafiles.rgbd_layouts import SCAN_NET, scan_net
from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.rgbd_scene import DepthPictures, FrameFiles, RgbdScene
from neoverse_ns.evaluation.data.scene import BenchmarkData


class ScanNet(BenchmarkData):
    """`color`, `depth` and `pose` of every scene; poses that were lost are none."""

    name: ClassVar[str] = "scannet"
    title: ClassVar[str] = "ScanNet"
    origin: ClassVar[str] = "scan-net.org after its terms are signed; colour, depth and poses exported from .sens files"
    licence: ClassVar[str] = "ScanNet terms of use, to be signed; not to be passed on"

    def find(self, folder: Path) -> list[str]:
        found = folders_with(folder, *SCAN_NET, deepest=2) if folder.is_dir() else []
        if not found:
            raise nothing_found(folder, self.name, ", ".join(SCAN_NET))
        return [clip_name(folder, place) for place in found]

    def open(self, folder: Path, scene: str) -> RgbdScene:
        place = folder / scene
        if not all((place / name).is_dir() for name in SCAN_NET):
            raise ClipError(f"{place}: is no recording with the folders {', '.join(SCAN_NET)}")
        read = scan_net(place)
        files = [
            FrameFiles(colour, depth, number, number / read.fps, read.pose(number))
            for number, (colour, depth) in enumerate(zip(read.colour, read.depth, strict=True))
        ]
        depth = DepthPictures(read.units, read.depth_lens, read.unknown)
        return RgbdScene(place.resolve().name if scene == "." else scene, place, files, read.lens, depth)
