"""KITTI's depth completion set: drives of which laser depth was gathered over several scans."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from neoverse_ns.datafiles.finding import nothing_found
from neoverse_ns.datafiles.intrinsics import pinhole
from neoverse_ns.datafiles.reading import read_text
from neoverse_ns.datafiles.rgbd_sequence import Lens
from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.rgbd_scene import DepthPictures, FrameFiles, RgbdScene
from neoverse_ns.evaluation.data.scene import BenchmarkData

UNITS = 256.0
"""Of depth pictures in a metre."""

_TRUTH = "proj_depth/groundtruth/image_02"
_GATHERED = ("groundtruth_depth_gathered", "image_gathered")
_RATE = 10.0


class KittiDepth(BenchmarkData):
    """Pictures of the left colour camera that have depth, in either of two layouts.

    `val/<drive>/proj_depth/groundtruth/image_02/*.png` with pictures in `image_02/data` of the same drive beside it, in
    `raw/<drive>` or in `<date>/<drive>`; or `depth_selection/val_selection_cropped/{groundtruth_depth_gathered,
    image_gathered}/<drive>_02/*.png`, as preparations for video depth leave them.
    """

    name: ClassVar[str] = "kitti-depth"
    title: ClassVar[str] = "KITTI depth, validation drives"
    origin: ClassVar[str] = "KITTI's site (annotated depth maps, and raw drives for their pictures), account needed"
    licence: ClassVar[str] = "CC BY-NC-SA 3.0"

    def find(self, folder: Path) -> list[str]:
        if (gathered := _gathered(folder)) is not None:
            names = [place.name for place in (gathered / _GATHERED[0]).iterdir() if place.is_dir()]
        else:
            val = folder / "val" if (folder / "val").is_dir() else folder
            names = [place.parents[2].name for place in val.glob(f"*/{_TRUTH}") if place.is_dir()]
        if not names:
            raise nothing_found(folder, self.name, f"val/<drive>/{_TRUTH} or {' and '.join(_GATHERED)}")
        return sorted(names)

    def open(self, folder: Path, scene: str) -> RgbdScene:
        if (gathered := _gathered(folder)) is not None:
            depth, pictures = (gathered / name / scene for name in _GATHERED)
        else:
            val = folder / "val" if (folder / "val").is_dir() else folder
            depth, pictures = val / scene / _TRUTH, _pictures(folder, val, scene)
        found = sorted(depth.glob("*.png"))
        if not found:
            raise ClipError(f"{depth}: has no depth pictures")
        files = [FrameFiles(pictures / one.name, one, int(one.stem), int(one.stem) / _RATE) for one in found]
        return RgbdScene(scene, folder, files, _lens(folder, scene), DepthPictures(UNITS))

    def missing(self, folder: Path, scene: str) -> list[str]:
        found = self.open(folder, scene)
        gone = [frame.name for frame in found.frames if not (folder / frame.name).is_file()]
        return [f"{scene}: {len(gone)} frames have depth but no picture, the first of them {gone[0]}"] if gone else []


def _gathered(folder: Path) -> Path | None:
    places = (folder, folder / "val_selection_cropped", folder / "depth_selection" / "val_selection_cropped")
    return next((place for place in places if all((place / name).is_dir() for name in _GATHERED)), None)


def _pictures(folder: Path, val: Path, scene: str) -> Path:
    """Where the pictures of a drive lie.

    Raises:
        ClipError: In none of the places where they might.
    """
    date = scene[: len("2011_09_26")]
    places = [
        base / scene / "image_02" / "data" for base in (val, folder / "raw", folder / date, folder / "raw" / date)
    ]
    there = next((place for place in places if place.is_dir()), None)
    if there is None:
        raise ClipError(f"{folder}: the pictures of drive {scene} lie in none of {', '.join(map(str, places))}")
    return there


def _lens(folder: Path, scene: str) -> Lens | None:
    """Of the date's calibration, where there is one."""
    date = scene[: len("2011_09_26")]
    for place in (folder, folder / date, folder / "raw", folder / "raw" / date):
        file = place / "calib_cam_to_cam.txt"
        if file.is_file():
            rows = dict(line.split(":", 1) for line in read_text(file).splitlines() if ":" in line)
            try:
                P = [float(number) for number in rows["P_rect_02"].split()]
                width, height = (int(float(number)) for number in rows["S_rect_02"].split())
                return Lens(pinhole(P[0], P[5], P[2], P[6]), (width, height))
            except (KeyError, ValueError, IndexError) as error:
                raise ClipError(f"{file}: has no usable P_rect_02 and S_rect_02 ({error})") from error
    return None
