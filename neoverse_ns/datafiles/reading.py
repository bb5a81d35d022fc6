"""Reading the files that data sets are made of; whatever is wrong with one is told with its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Float64, Shaped, UInt8
from PIL import Image
from torch import Tensor

from neoverse_ns.clip.image_file import image_size as image_size
from neoverse_ns.clip.image_file import opened_image, read_image
from neoverse_ns.errors import UNREADABLE, ClipError

_ROTATION_TOLERANCE = 1e-2


def read_rgb(path: Path, size: tuple[int, int] | None = None) -> UInt8[Tensor, "h w 3"]:
    """A picture in sRGB.

    Args:
        path: Of any format.
        size: Width and height that it must have.

    Raises:
        ClipError: It is missing, damaged, or of another size.
    """
    pixels = read_image(_there(path), image_size(path))[..., :3]
    if size is not None and (pixels.shape[1], pixels.shape[0]) != size:
        raise ClipError(f"{path}: {pixels.shape[1]}x{pixels.shape[0]} pixels instead of {size[0]}x{size[1]}")
    return torch.from_numpy(np.array(pixels))


def read_deep_png(path: Path, channels: int = 1) -> Shaped[np.ndarray, "h w *c"]:
    """A PNG of 16 bits a channel with its values as they are; three channels come as red, green, blue.

    Raises:
        ClipError: It is missing, damaged, or has fewer bits or other channels.
    """
    data = _bytes(path)
    # The decoder fills what a broken file lacks with zeros, and says so nowhere but on the screen.
    if b"IEND" not in data[-16:]:
        raise ClipError(f"{path}: is no whole PNG; replace or remove it")
    values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None:
        raise ClipError(f"{path}: is broken; replace or remove it")
    found = 1 if values.ndim == 2 else values.shape[2]
    if values.dtype != np.uint16 or found != channels:
        raise ClipError(f"{path}: {found} channels of {8 * values.itemsize} bits instead of {channels} of 16")
    return values if channels == 1 else np.ascontiguousarray(values[..., ::-1])


def read_numbers_png(path: Path) -> Shaped[np.ndarray, "h w"]:
    """A picture of whole numbers: of a palette the places in it, not the colours.

    Raises:
        ClipError: It is missing, damaged, or in colour.
    """
    with opened_image(_there(path)) as image:
        if not isinstance(image, Image.Image) or image.mode not in ("P", "L", "I", "I;16"):
            raise ClipError(f"{path}: holds colours where numbers were expected")
        return np.asarray(image)


def read_array(path: Path, shape: tuple[int | None, ...]) -> Shaped[np.ndarray, "*shape"]:
    """A .npy file.

    Args:
        path: Where it is.
        shape: That it must have; None is any number.

    Raises:
        ClipError: It is missing, damaged, or of another shape.
    """
    try:
        array = np.load(_there(path), allow_pickle=False)
    except UNREADABLE as error:
        raise ClipError(f"{path}: cannot be read ({error})") from error
    return checked_shape(array, shape, str(path))


def read_arrays(path: Path, shapes: dict[str, tuple[int | None, ...]]) -> dict[str, Any]:
    """Arrays of a .npz file.

    Args:
        path: Where it is.
        shapes: Of the arrays wanted; None is any number.

    Raises:
        ClipError: It is missing or damaged, lacks one, or has one of another shape.
    """
    try:
        with np.load(_there(path), allow_pickle=False) as file:
            missing = [name for name in shapes if name not in file.files]
            arrays = {} if missing else {name: file[name] for name in shapes}
    except UNREADABLE as error:
        raise ClipError(f"{path}: cannot be read ({error})") from error
    if missing:
        raise ClipError(f"{path}: has no array '{missing[0]}'")
    return {name: checked_shape(arrays[name], shape, f"{path}, '{name}'") for name, shape in shapes.items()}


def read_table(path: Path, columns: int | None, header: int = 0) -> Float64[np.ndarray, "rows columns"]:
    """Numbers in lines; those that begin with # are left out.

    Args:
        path: A text file.
        columns: That every line must have; None is any number, the same in all.
        header: Lines to leave out at the beginning.

    Raises:
        ClipError: It is missing or empty, or not such a table.
    """
    try:
        # A file without numbers is told below, by name.
        lines = [line for line in _bytes(path).decode("utf8").splitlines()[header:] if not line.startswith("#")]
        table = (
            np.loadtxt(lines, ndmin=2, dtype=np.float64) if any(line.strip() for line in lines) else np.zeros((0, 0))
        )
    except UNREADABLE as error:
        raise ClipError(f"{path}: is no table of numbers ({error})") from error
    if not len(table):
        raise ClipError(f"{path}: holds no numbers")
    return checked_shape(table, (None, columns), str(path))


def read_matrix(path: Path) -> Float64[Tensor, "4 4"]:
    """A pose as four lines of four numbers.

    Raises:
        ClipError: It is missing, not such a matrix, or no rigid motion.
    """
    return rigid(torch.from_numpy(checked_shape(read_table(path, 4), (4, 4), str(path))), str(path))


def rigid(pose: Float64[Tensor, "*batch 4 4"], what: str) -> Float64[Tensor, "*batch 4 4"]:
    """Poses that are rigid motions.

    Args:
        pose: To be looked at.
        what: Names them in the message.

    Raises:
        ClipError: One is not finite, or turns by something that is no rotation.
    """
    if not torch.isfinite(pose).all():
        raise ClipError(f"{what}: the pose is not finite")
    R = pose[..., :3, :3]
    off = (R @ R.mT - torch.eye(3, dtype=pose.dtype)).abs().max().item()
    if off > _ROTATION_TOLERANCE or torch.linalg.det(R).min() < 0:
        raise ClipError(f"{what}: the pose is no rigid motion (its axes are off by {off:.2g})")
    return pose


def checked_shape(array: Any, shape: tuple[int | None, ...], what: str) -> Any:
    """The array, if it has that shape.

    Raises:
        ClipError: It has not.
    """
    fits = array.ndim == len(shape) and all(want in (None, have) for want, have in zip(shape, array.shape, strict=True))
    if not fits:
        wanted = "x".join("n" if size is None else str(size) for size in shape)
        raise ClipError(f"{what}: holds {'x'.join(map(str, array.shape)) or 'one'} numbers instead of {wanted}")
    return array


def read_text(path: Path) -> str:
    """A text file.

    Raises:
        ClipError: It is missing, or no text.
    """
    try:
        return _bytes(path).decode("utf8")
    except UnicodeDecodeError as error:
        raise ClipError(f"{path}: is no text ({error})") from error


def _there(path: Path) -> Path:
    if not path.is_file():
        raise ClipError(f"{path}: is missing")
    return path


def _bytes(path: Path) -> bytes:
    try:
        return _there(path).read_bytes()
    except OSError as error:
        raise ClipError(f"{path}: cannot be read ({error.strerror or error})") from error
