"""NVIDIA's dynamic scenes as twelve pictures of one camera that jumps: DynamicNeRF's copy."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from neoverse_ns.clip.image_file import image_size
from neoverse_ns.clip.images import images_in
from neoverse_ns.datafiles.finding import clip_name, folders_with, no_folder, nothing_found
from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.llff import read_llff
from neoverse_ns.evaluation.data.missing import lacking
from neoverse_ns.evaluation.data.nvidia.scene import LICENCE, SEVEN, NvidiaFrame, NvidiaScene
from neoverse_ns.evaluation.data.scene import BenchmarkData

_TRUTH = "v000_t{:03d}.png"
"""What the rig's first camera saw at a time."""


class NvidiaMono(BenchmarkData):
    """Frame t is of the rig's camera t mod 12; what the first of them saw all the time is the truth.

    Truth lies in the scene's folder, in `gt` within it, or in `../gt/<scene>` beside the scenes.
    """

    name: ClassVar[str] = "nvidia-mono12"
    title: ClassVar[str] = "NVIDIA dynamic scenes, 12 frames"
    origin: ClassVar[str] = "links in the README of github.com/gaochen315/DynamicNeRF: data, and ground truth"
    licence: ClassVar[str] = LICENCE
    published_scenes: ClassVar[tuple[str, ...]] = SEVEN

    def find(self, folder: Path) -> list[str]:
        scenes = folders_with(folder, "images", "poses_bounds.npy", deepest=1) if folder.is_dir() else []
        if not scenes:
            raise nothing_found(folder, self.name, "images, poses_bounds.npy")
        return [clip_name(folder, scene) for scene in scenes]

    def open(self, folder: Path, scene: str) -> NvidiaScene:
        place = folder / scene
        images = _images(place)
        cameras = read_llff(place / "poses_bounds.npy")
        if len(cameras) != len(images):
            raise ClipError(f"{place}: has {len(images)} pictures and {len(cameras)} cameras in poses_bounds.npy")
        size = image_size(images[0])
        frames = [
            NvidiaFrame(f"images/{path.name}", "0", time, camera.K(size), camera.c2w)
            for time, (path, camera) in enumerate(zip(images, cameras, strict=True))
        ]
        where = _truth_folder(place)
        for time in range(len(images)):
            name = f"{where}{_TRUTH.format(time)}"
            # The rig stands still: its first camera is where the first frame was taken.
            if (place / name).is_file():
                frames.append(NvidiaFrame(name, "1", time, cameras[0].K(size), cameras[0].c2w))
        return NvidiaScene(place, frames, size)

    def missing(self, folder: Path, scene: str) -> list[str]:
        place = folder / scene
        where = _truth_folder(place)
        return lacking(place, "true pictures", (f"{where}{_TRUTH.format(time)}" for time in range(len(_images(place)))))


def _images(place: Path) -> list[Path]:
    if not (place / "images").is_dir():
        raise no_folder(place / "images")
    return images_in(place / "images")


def _truth_folder(place: Path) -> str:
    """Relative to the scene's folder, with a slash at its end."""
    for where in ("gt/", "", f"../gt/{place.name}/"):
        if (place / f"{where}{_TRUTH.format(0)}").is_file():
            return where
    return "gt/"
