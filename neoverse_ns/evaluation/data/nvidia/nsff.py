"""NVIDIA's dynamic scenes as NSFF laid them out: a camera that jumps, and all twelve of the rig beside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

from neoverse_ns.clip.images import images_in
from neoverse_ns.datafiles.finding import clip_name, folders_with, no_folder, nothing_found
from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.llff import read_llff
from neoverse_ns.evaluation.data.missing import lacking
from neoverse_ns.evaluation.data.nvidia.scene import LICENCE, SEVEN, TWELVE, NvidiaFrame, NvidiaScene
from neoverse_ns.evaluation.data.scene import BenchmarkData

_SIZED = re.compile(r"images_(\d+)x(\d+)")
_HEIGHT = 288
"""Of the pictures that tables are made on, where a scene has several sizes."""


class NvidiaNsff(BenchmarkData):
    """24 frames, frame t of the rig's camera t mod 12; all pictures are brought to the size of `images_<W>x288`."""

    name: ClassVar[str] = "nvidia-nsff24"
    title: ClassVar[str] = "NVIDIA dynamic scenes, 24 frames"
    origin: ClassVar[str] = "link in the README of github.com/zhengqili/Neural-Scene-Flow-Fields"
    licence: ClassVar[str] = LICENCE
    published_scenes: ClassVar[tuple[str, ...]] = SEVEN
    poses: ClassVar[str] = "poses_bounds.npy"

    def find(self, folder: Path) -> list[str]:
        marks = (f"dense/{self.poses}", "dense/mv_images")
        scenes = folders_with(folder, *marks, deepest=1) if folder.is_dir() else []
        if not scenes:
            raise nothing_found(folder, self.name, ", ".join(marks))
        return [clip_name(folder, scene) for scene in scenes]

    def open(self, folder: Path, scene: str) -> NvidiaScene:
        place = folder / scene
        inputs, size = _inputs(place)
        cameras = read_llff(place / "dense" / self.poses)
        if len(cameras) != len(inputs):
            raise ClipError(f"{place}: has {len(inputs)} pictures and {len(cameras)} cameras in dense/{self.poses}")
        if len(cameras) < len(TWELVE):
            raise ClipError(f"{place}: has {len(cameras)} cameras; the rig's twelve are those of the first 12 frames")
        frames = [
            NvidiaFrame(name, "0", time, camera.K(size), camera.c2w)
            for time, (name, camera) in enumerate(zip(inputs, cameras, strict=True))
        ]
        for time in range(len(inputs)):
            for camera, solved in zip(TWELVE, cameras, strict=False):
                name = _seen(time, camera)
                if (place / name).is_file():
                    frames.append(NvidiaFrame(name, camera, time, solved.K(size), solved.c2w, _mask(time, camera)))
        return NvidiaScene(place, frames, size)

    def missing(self, folder: Path, scene: str) -> list[str]:
        place = folder / scene
        # What the camera that jumps shows at a time is no target, and some copies leave it out.
        wanted = [
            (time, camera)
            for time in range(len(_inputs(place)[0]))
            for camera in TWELVE
            if int(camera) - 1 != time % len(TWELVE)
        ]
        found = lacking(place, "pictures of the rig", (_seen(*one) for one in wanted))
        return found + lacking(place, "masks of what moves", (_mask(*one) for one in wanted))


def _seen(time: int, camera: str) -> str:
    return f"dense/mv_images/{time:05d}/cam{int(camera):02d}.jpg"


def _mask(time: int, camera: str) -> str:
    return f"dense/mv_masks/{time:05d}/cam{int(camera):02d}.png"


def _inputs(place: Path) -> tuple[list[str], tuple[int, int]]:
    """Names of the given pictures in order, and their width and height, which their folder is named by."""
    dense = place / "dense"
    if not dense.is_dir():
        raise no_folder(dense)
    sizes = {}
    for folder in dense.iterdir():
        if folder.is_dir() and (match := _SIZED.fullmatch(folder.name)):
            sizes[folder] = (int(match[1]), int(match[2]))
    usual = {folder: size for folder, size in sizes.items() if size[1] == _HEIGHT} or sizes
    if len(usual) != 1:
        raise ClipError(f"{dense}: has {len(usual)} folders of pictures named as images_512x288 is; one is needed")
    ((folder, size),) = usual.items()
    return [f"dense/{folder.name}/{path.name}" for path in images_in(folder)], size
