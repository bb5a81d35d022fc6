"""Cameras of a COLMAP model, binary or text."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path

import torch

from neoverse_ns.console import warn
from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry import quaternions
from neoverse_ns.geometry.se3 import assemble, se3_inverse
from neoverse_ns.trajectory.foreign.entry import CameraEntry, label, natural
from neoverse_ns.trajectory.foreign.path import ForeignPath

PLACES = ("", "sparse/0", "colmap/sparse/0", "sparse", "0")
"""Where a model lies below the folder that people name."""

_COUNTS = {
    "SIMPLE_PINHOLE": 3, "PINHOLE": 4, "SIMPLE_RADIAL": 4, "RADIAL": 5, "OPENCV": 8, "OPENCV_FISHEYE": 8,
    "FULL_OPENCV": 12, "FOV": 5, "SIMPLE_RADIAL_FISHEYE": 4, "RADIAL_FISHEYE": 5, "THIN_PRISM_FISHEYE": 12,
}  # fmt: skip
"""COLMAP's camera models in the order of their numbers, with how many parameters each has."""
_MODELS = tuple(_COUNTS)
_ONE_FOCAL = ("SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL", "SIMPLE_RADIAL_FISHEYE", "RADIAL_FISHEYE")


@dataclass(frozen=True)
class _Lens:
    model: str
    size: tuple[int, int]
    parameters: tuple[float, ...]

    def K(self) -> torch.Tensor:
        one = self.model in _ONE_FOCAL
        fx, fy = self.parameters[0], self.parameters[0 if one else 1]
        cx, cy = self.parameters[1 if one else 2 :][:2]
        return torch.tensor([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]], dtype=torch.float64)

    @property
    def bends(self) -> bool:
        return any(self.parameters[3 if self.model in _ONE_FOCAL else 4 :])


@dataclass(frozen=True)
class _Image:
    name: str
    pose: tuple[float, ...]
    """Quaternion wxyz and translation, from world to camera."""
    camera: int


def find_model(folder: Path) -> Path | None:
    """The folder of a COLMAP model in or below `folder`; None where there is none."""
    for place in PLACES:
        if (folder / place / "images.bin").is_file() or (folder / place / "images.txt").is_file():
            return folder / place
    return None


def read_colmap(folder: Path) -> ForeignPath:
    """Read the images of a model in the natural order of their names; the binary form where both are there.

    Raises:
        SettingsError: A file is missing, damaged or empty; names it.
    """
    form = "bin" if (folder / "images.bin").is_file() else "txt"
    lens_file, image_file = folder / f"cameras.{form}", folder / f"images.{form}"
    file = lens_file
    try:
        lenses = (_lenses_binary if form == "bin" else _lenses_text)(file)
        file = image_file
        images = (_images_binary if form == "bin" else _images_text)(file)
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror or error}") from error
    except (ValueError, IndexError, struct.error, OverflowError) as error:
        raise SettingsError(f"{file} is damaged, or no file of a COLMAP model: {error}") from error
    if not images:
        raise SettingsError(f"{image_file} holds no image: map the frames anew")
    unknown = sorted({image.camera for image in images} - set(lenses))
    if unknown:
        raise SettingsError(f"{image_file} names camera {unknown[0]}, which {lens_file} lacks")
    if any(lens.bends for lens in lenses.values()):
        warn(f"{lens_file}: lens distortion is ignored; new views are drawn without")
    images.sort(key=lambda image: natural(image.name))
    return ForeignPath.of([_entry(image, lenses[image.camera], image_file) for image in images])


def _entry(image: _Image, lens: _Lens, where: Path) -> CameraEntry:
    pose = torch.tensor(image.pose, dtype=torch.float64)
    if not pose.isfinite().all() or float(pose[:4].norm()) < 1e-3:
        raise SettingsError(f"{where}: image {image.name} has no usable pose")
    w2c = assemble(quaternions.to_matrix(pose[:4]), pose[4:])
    return CameraEntry(label(image.name), se3_inverse(w2c), lens.K(), lens.size)


def _lens(model: str, size: tuple[int, int], parameters: tuple[float, ...]) -> _Lens:
    if model not in _COUNTS:
        raise ValueError(f"camera model {model} is not known here; undistort the images to a pinhole camera")
    finite = all(math.isfinite(value) for value in parameters)
    if min(size) < 1 or not finite or len(parameters) != _COUNTS[model] or min(parameters[:2]) <= 0:
        raise ValueError(f"a {model} camera of {size[0]}x{size[1]} pixels with parameters {parameters}")
    return _Lens(model, size, parameters)


def _lenses_text(path: Path) -> dict[int, _Lens]:
    lenses = {}
    for line in path.read_text("utf8").splitlines():
        words = line.split()
        if words and not words[0].startswith("#"):
            lens = _lens(words[1], (int(words[2]), int(words[3])), tuple(float(word) for word in words[4:]))
            lenses[int(words[0])] = lens
    return lenses


def _images_text(path: Path) -> list[_Image]:
    """Two lines an image: the second lists points and may be empty."""
    lines = iter(path.read_text("utf8").splitlines())
    images = []
    for line in lines:
        words = line.split(maxsplit=9)
        if words and not words[0].startswith("#"):
            images.append(_Image(words[9].strip(), tuple(float(word) for word in words[1:8]), int(words[8])))
            next(lines, None)
    return images


def _lenses_binary(path: Path) -> dict[int, _Lens]:
    data, at, lenses = path.read_bytes(), 8, {}
    for _ in range(struct.unpack_from("<Q", data)[0]):
        number, model, width, height = struct.unpack_from("<IiQQ", data, at)
        name = _MODELS[model] if 0 <= model < len(_MODELS) else str(model)
        count = _COUNTS.get(name, 0)
        lenses[number] = _lens(name, (width, height), struct.unpack_from(f"<{count}d", data, at + 24))
        at += 24 + 8 * count
    return lenses


def _images_binary(path: Path) -> list[_Image]:
    data, at, images = path.read_bytes(), 8, []
    for _ in range(struct.unpack_from("<Q", data)[0]):
        values = struct.unpack_from("<I7dI", data, at)
        end = data.index(b"\0", at + 64)
        images.append(_Image(data[at + 64 : end].decode("utf8"), values[1:8], values[8]))
        at = end + 9 + 24 * struct.unpack_from("<Q", data, end + 1)[0]
    return images
