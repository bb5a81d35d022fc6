"""A recording of colour and depth pictures, as every RGB-D layout comes down to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Float64, UInt16
from torch import Tensor

from neoverse_ns.datafiles.intrinsics import pinhole, scaled
from neoverse_ns.datafiles.reading import read_deep_png, read_table
from neoverse_ns.errors import ClipError


@dataclass(frozen=True)
class Lens:
    """Intrinsics of a picture of a certain size.

    Attributes:
        K: In pixels, pixel centres at +0.5.
        size: Width and height that they are for; None for whatever size the pictures have.
    """

    K: Float64[Tensor, "3 3"]
    size: tuple[int, int] | None = None

    def at(self, width: int, height: int) -> Float64[Tensor, "3 3"]:
        """Intrinsics of the same picture at another size."""
        return self.K if self.size is None else scaled(self.K, self.size, (width, height))


@dataclass(frozen=True)
class RgbdSequence:
    """Where the frames of a recording lie, and what their numbers mean.

    Attributes:
        colour: Pictures in order of time.
        depth: Depth pictures of the same frames, 16 bits.
        pose: Camera to world, OpenCV axes, of a frame; None where it was lost.
        units: Of the depth pictures in a metre.
        unknown: Values beside 0 that mean that depth is not known.
        lens: Of the colour pictures.
        depth_lens: Of the depth pictures, taken from the same place; None for the lens of the colour pictures.
        fps: Frames per second.
        static: Nothing moves but the camera.
        split: As in "train" or "val".
        lens_of: Where `lens` is from, in words.
    """

    colour: list[Path]
    depth: list[Path]
    pose: Callable[[int], Float64[Tensor, "4 4"] | None]
    units: float
    lens: Lens
    unknown: tuple[int, ...] = ()
    depth_lens: Lens | None = None
    fps: float = 30.0
    static: bool = True
    split: str = "train"
    lens_of: str = "a file of the recording"


def read_depth(
    sequence: RgbdSequence, index: int, K: Float64[Tensor, "3 3"], width: int, height: int
) -> Float32[Tensor, "h w"]:
    """z-depth in metres at the pixels of the colour picture, 0 where unknown.

    A depth picture of another size or lens is looked up where the ray of each colour pixel meets it, without mixing
    its values. What lies between the two lenses is left out: no layout says it.

    Raises:
        ClipError: The file cannot be read.
    """
    return depth_seen(
        sequence.depth[index], sequence.units, sequence.unknown, sequence.depth_lens or sequence.lens, K, width, height
    )


def depth_seen(
    path: Path,
    units: float,
    unknown: tuple[int, ...],
    lens: Lens,
    K: Float64[Tensor, "3 3"],
    width: int,
    height: int,
) -> Float32[Tensor, "h w"]:
    """As :func:`read_depth`, of a depth picture by itself.

    Args:
        path: Its file.
        units: In a metre.
        unknown: Values beside 0 that mean that depth is not known.
        lens: Of the depth picture.
        K: Of the colour picture.
        width: The same.
        height: The same.

    Raises:
        ClipError: The file cannot be read.
    """
    values = read_deep_png(path)
    own = lens.at(values.shape[1], values.shape[0])
    if values.shape != (height, width) or not torch.equal(own, K):
        values = _looked_up(values, own, K, width, height)
    known = ~np.isin(values, (0, *unknown))
    return torch.from_numpy(np.where(known, values / np.float32(units), np.float32(0)).astype(np.float32))


def _looked_up(
    units: UInt16[np.ndarray, "dh dw"], own: Float64[Tensor, "3 3"], K: Float64[Tensor, "3 3"], width: int, height: int
) -> UInt16[np.ndarray, "h w"]:
    columns, inside_x = _places(own[0, 0], own[0, 2], K[0, 0], K[0, 2], width, units.shape[1])
    rows, inside_y = _places(own[1, 1], own[1, 2], K[1, 1], K[1, 2], height, units.shape[0])
    return np.where(inside_y[:, None] & inside_x[None], units[rows[:, None], columns[None]], 0).astype(np.uint16)


def _places(f_own: Tensor, c_own: Tensor, f: Tensor, c: Tensor, count: int, own: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixel of the depth picture that each of `count` colour pixels along one axis falls on, and whether there is one.

    A hair is added, so that borders between two pixels do not depend on rounding.
    """
    place = (np.arange(count) + 0.5 - float(c)) / float(f) * float(f_own) + float(c_own)
    pixel = np.floor(place + 1e-9).astype(np.int64)
    return pixel.clip(0, own - 1), (pixel >= 0) & (pixel < own)


def lens_file(path: Path, size: tuple[int, int] | None) -> Lens:
    """Intrinsics as a matrix of 3x3 or 4x4 numbers, or as fx, fy, cx, cy in one line.

    Args:
        path: A text file.
        size: Of the pictures that they are for.

    Raises:
        ClipError: It is missing, or holds something else.
    """
    table = read_table(path, None)
    if table.shape in ((3, 3), (4, 4)):
        numbers = table[[0, 1, 0, 1], [0, 1, 2, 2]]
    elif table.shape == (1, 4):
        numbers = table[0]
    else:
        raise ClipError(f"{path}: holds neither a 3x3 nor a 4x4 matrix, nor fx fy cx cy in one line")
    if not np.isfinite(numbers).all() or numbers[:2].min() <= 0:
        raise ClipError(f"{path}: these are no intrinsics: {numbers.tolist()}")
    fx, fy, cx, cy = numbers.tolist()
    if size is not None and not (0 < cx < size[0] and 0 < cy < size[1]):
        raise ClipError(f"{path}: is for pictures of another size: {cx:g}, {cy:g} lies outside {size[0]}x{size[1]}")
    return Lens(pinhole(fx, fy, cx, cy, size), size)
