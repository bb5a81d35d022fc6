"""Sintel's binary files: cameras, depth and flow, little-endian behind one tag."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64

from neoverse_ns.errors import ClipError

TAG = np.float32(202021.25)
"""First number of every file."""


def read_cam(path: Path) -> tuple[Float64[np.ndarray, "3 3"], Float64[np.ndarray, "3 4"]]:
    """Intrinsics, and the motion from world to camera.

    Raises:
        ClipError: The file is missing, or no such file.
    """
    data = _checked(path)
    if len(data) != 4 + 21 * 8:
        raise ClipError(f"{path}: {len(data)} bytes long, a camera takes {4 + 21 * 8}")
    numbers = np.frombuffer(data, "<f8", offset=4)
    return numbers[:9].reshape(3, 3).copy(), numbers[9:].reshape(3, 4).copy()


def read_dpt(path: Path) -> Float32[np.ndarray, "h w"]:
    """z-depth in metres.

    Raises:
        ClipError: The file is missing, or no such file.
    """
    return _map(path, 1)[..., 0]


def read_flo(path: Path) -> Float32[np.ndarray, "h w 2"]:
    """Optical flow to the next frame, pixels to the right and down.

    Raises:
        ClipError: The file is missing, or no such file.
    """
    return _map(path, 2)


def _map(path: Path, channels: int) -> Float32[np.ndarray, "h w c"]:
    data = _checked(path)
    width, height = (int(number) for number in np.frombuffer(data[4:12], "<i4")) if len(data) >= 12 else (0, 0)
    if min(width, height) < 1 or len(data) != 12 + 4 * channels * width * height:
        raise ClipError(f"{path}: {len(data)} bytes are not what {width}x{height} pixels of {channels} numbers take")
    return np.frombuffer(data, "<f4", offset=12).reshape(height, width, channels).astype(np.float32)


def _checked(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise ClipError(f"{path}: is missing") from error
    except OSError as error:
        raise ClipError(f"{path}: cannot be read ({error.strerror or error})") from error
    if len(data) < 4 or np.frombuffer(data[:4], "<f4")[0] != TAG:
        raise ClipError(f"{path}: does not begin as Sintel's files do")
    return data
