"""Cameras of COLMAP's binary files, cameras.bin and images.bin."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.errors import UNREADABLE, ClipError
from neoverse_ns.evaluation.data.undistort import Lens
from neoverse_ns.geometry import quaternions

_Numbers = tuple[float, ...]
_Found = TypeVar("_Found")
_MODELS: dict[int, tuple[str, int, Callable[[_Numbers, int, int], Lens]]] = {
    0: ("SIMPLE_PINHOLE", 3, lambda p, w, h: Lens(p[0], p[0], p[1], p[2], w, h)),
    1: ("PINHOLE", 4, lambda p, w, h: Lens(p[0], p[1], p[2], p[3], w, h)),
    2: ("SIMPLE_RADIAL", 4, lambda p, w, h: Lens(p[0], p[0], p[1], p[2], w, h, p[3:])),
    3: ("RADIAL", 5, lambda p, w, h: Lens(p[0], p[0], p[1], p[2], w, h, p[3:])),
    4: ("OPENCV", 8, lambda p, w, h: Lens(p[0], p[1], p[2], p[3], w, h, p[4:])),
    5: ("OPENCV_FISHEYE", 8, lambda p, w, h: Lens(p[0], p[1], p[2], p[3], w, h, p[4:], "fisheye")),
}
"""COLMAP's number, name and count of parameters of its camera models, and what they are here. Its pixel centres are at
+0.5, too."""


@dataclass(frozen=True)
class ColmapCamera:
    """One solved picture.

    Attributes:
        lens: Of its camera.
        w2c: World to camera, OpenCV axes.
    """

    lens: Lens
    w2c: Float64[Tensor, "4 4"]


def read_colmap_cameras(folder: Path) -> dict[str, ColmapCamera]:
    """Solved pictures by their names.

    Args:
        folder: With cameras.bin and images.bin.

    Raises:
        ClipError: One of them is missing or damaged, or has a camera model that is not known here.
    """
    lenses = _whole(folder / "cameras.bin", _lenses)
    images = _whole(folder / "images.bin", _images)
    cameras = {}
    for name, number, w2c in images:
        if number not in lenses:
            raise ClipError(f"{folder / 'images.bin'}: '{name}' is of camera {number}, which cameras.bin does not have")
        cameras[name] = ColmapCamera(lenses[number], w2c)
    return cameras


class _Bytes:
    """What is left of a file."""

    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0

    def take(self, kinds: str) -> tuple:
        values = struct.unpack_from(f"<{kinds}", self.data, self.place)
        self.place += struct.calcsize(f"<{kinds}")
        return values

    def text(self) -> str:
        end = self.data.index(b"\0", self.place)
        found = self.data[self.place : end].decode()
        self.place = end + 1
        return found

    def skip(self, count: int) -> None:
        self.place += count
        if self.place > len(self.data):
            raise ValueError("ends too early")


def _whole(path: Path, read: Callable[[_Bytes], _Found]) -> _Found:
    try:
        return read(_Bytes(path.read_bytes()))
    except FileNotFoundError as error:
        raise ClipError(f"{path}: is missing") from error
    except UNREADABLE as error:
        raise ClipError(f"{path}: is no such file as COLMAP writes it ({error})") from error


def _lenses(data: _Bytes) -> dict[int, Lens]:
    lenses = {}
    for _ in range(data.take("Q")[0]):
        number, model, width, height = data.take("IiQQ")
        if model not in _MODELS:
            raise ValueError(f"camera model {model} is none of {', '.join(name for name, _, _ in _MODELS.values())}")
        _, count, lens = _MODELS[model]
        lenses[number] = lens(data.take(f"{count}d"), width, height)
    return lenses


def _images(data: _Bytes) -> list[tuple[str, int, Float64[Tensor, "4 4"]]]:
    images = []
    for _ in range(data.take("Q")[0]):
        _, *pose, camera = data.take("I7dI")
        name = data.text()
        data.skip(24 * data.take("Q")[0])
        w2c = torch.eye(4, dtype=torch.float64)
        w2c[:3, :3] = quaternions.to_matrix(quaternions.normalize(torch.tensor(pose[:4], dtype=torch.float64)))
        w2c[:3, 3] = torch.tensor(pose[4:], dtype=torch.float64)
        images.append((name, camera, w2c))
    return images
