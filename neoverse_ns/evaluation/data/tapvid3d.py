"""TAPVid-3D: videos with points that are followed in three dimensions, a file each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float64, UInt8
from torch import Tensor

from neoverse_ns.datafiles.finding import nothing_found
from neoverse_ns.datafiles.intrinsics import pinhole
from neoverse_ns.datafiles.reading import checked_shape, rigid
from neoverse_ns.errors import UNREADABLE, ClipError
from neoverse_ns.evaluation.data.scene import BenchmarkData, BenchmarkFrame, BenchmarkPixels, BenchmarkScene, Known
from neoverse_ns.geometry.se3 import se3_inverse

_IMAGES = "images_jpeg_bytes"
_RATE = 30.0
"""Frames a second where nobody says; times count frames."""


@dataclass(frozen=True)
class TrueTracks:
    """What is known of a video's points.

    Attributes:
        queries_xyt: Where and in which frame each is pointed at: pixels, then the frame's number.
        tracks_XYZ: Metres, OpenCV axes of the camera of every frame.
        visibility: Whether it is seen there.
        K: Of all frames, in pixels.
        c2w: Of every frame; None where the file does not tell.
    """

    queries_xyt: Float64[Tensor, "n 3"]
    tracks_XYZ: Float64[Tensor, "t n 3"]
    visibility: Bool[Tensor, "t n"]
    K: Float64[Tensor, "3 3"]
    c2w: Float64[Tensor, "t 4 4"] | None


class TracksScene(BenchmarkScene):
    """One video; its frames lie in the file under the names of their numbers."""

    unit = 1.0

    def __init__(self, root: Path, name: str) -> None:
        self.name, self.folder, self._file = name, root, root / f"{name}.npz"
        stored = _read(self._file)
        self._jpegs = stored[_IMAGES]
        count = len(self._jpegs)
        self._truth = _tracks(stored, count, self._file)
        height, width = self._decoded(0).shape[:2]
        c2w = self._truth.c2w
        self.frames = tuple(
            BenchmarkFrame(
                f"{name}.npz/{at:05d}.jpg",
                "0",
                at,
                at / _RATE,
                width,
                height,
                self._truth.K,
                None if c2w is None else c2w[at],
            )
            for at in range(count)
        )

    def tracks(self) -> TrueTracks:
        """The points of the video."""
        return self._truth

    def read(self, frame: BenchmarkFrame, *what: Known) -> BenchmarkPixels:
        if "rgb" not in (what or ("rgb",)):
            return BenchmarkPixels()
        pixels = self._decoded(frame.time)
        if pixels.shape[:2] != (frame.height, frame.width):
            raise ClipError(f"{self._file}: frame {frame.time} differs in size from the first one")
        return BenchmarkPixels(torch.from_numpy(pixels))

    def _decoded(self, at: int) -> UInt8[np.ndarray, "h w 3"]:
        image = cv2.imdecode(np.frombuffer(bytes(self._jpegs[at]), np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise ClipError(f"{self._file}: frame {at} is no whole JPEG")
        return np.ascontiguousarray(image[..., ::-1])


class TapVid3d(BenchmarkData):
    """Every `.npz` below the folder, at most two levels deep, as `drivetrack/<video>`."""

    name: ClassVar[str] = "tapvid3d"
    title: ClassVar[str] = "TAPVid-3D"
    origin: ClassVar[str] = (
        "scripts of github.com/google-deepmind/tapnet (tapvid3d): drive videos ready from a bucket, "
        "ADT and Panoptic videos are made from their sources"
    )
    licence: ClassVar[str] = "annotations CC BY 4.0; the videos under the terms of Waymo, ADT and Panoptic Studio"

    def find(self, folder: Path) -> list[str]:
        found = sorted(path for depth in ("*", "*/*", "*/*/*") for path in folder.glob(f"{depth}.npz"))
        if not found:
            raise nothing_found(folder, self.name, "drivetrack/<video>.npz")
        return [path.relative_to(folder).with_suffix("").as_posix() for path in found]

    def open(self, folder: Path, scene: str) -> TracksScene:
        return TracksScene(folder, scene)


def _read(path: Path) -> dict[str, Any]:
    """All arrays of a file.

    Raises:
        ClipError: It is missing or damaged, or has no pictures, as files of annotations alone.
    """
    if not path.is_file():
        raise ClipError(f"{path}: is missing")
    try:
        with np.load(path, allow_pickle=False) as file:
            stored = {name: file[name] for name in file.files}
    except UNREADABLE as error:
        raise ClipError(f"{path}: cannot be read ({error})") from error
    if _IMAGES not in stored or not len(stored[_IMAGES]):
        raise ClipError(f"{path}: has no {_IMAGES}: add the pictures as the set's scripts do")
    return stored


def _tracks(stored: dict[str, Any], count: int, path: Path) -> TrueTracks:
    def found(shape: tuple[int | None, ...], *names: str) -> Tensor | None:
        there = next((name for name in names if name in stored), None)
        if there is None:
            return None
        array = checked_shape(stored[there], shape, f"{path}, '{there}'")
        return torch.from_numpy(array if array.dtype == np.bool_ else array.astype(np.float64))

    def needed(shape: tuple[int | None, ...], *names: str) -> Tensor:
        array = found(shape, *names)
        if array is None:
            raise ClipError(f"{path}: has no array '{names[0]}'")
        return array

    queries = needed((None, 3), "queries_xyt")
    tracks = needed((count, len(queries), 3), "tracks_XYZ", "tracks_xyz")
    visible = needed((count, len(queries)), "visibility") > 0
    fx, fy, cx, cy = needed((4,), "fx_fy_cx_cy", "intrinsics").tolist()
    motion = found((count, 4, 4), "extrinsics_w2c")
    c2w = None if motion is None else se3_inverse(rigid(motion, f"{path}, 'extrinsics_w2c'"))
    return TrueTracks(queries, tracks, visible, pinhole(fx, fy, cx, cy), c2w)
