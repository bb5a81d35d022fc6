"""Depth maps from a folder of files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float32

from neoverse_ns.errors import UNREADABLE, SettingsError

SUFFIXES = (".npy", ".png")


def depth_files(folder: Path) -> list[Path]:
    """Files of `folder` that can hold depth, by name.

    Raises:
        SettingsError: There is no such folder, or none in it.
    """
    try:
        files = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
    except OSError as error:
        raise SettingsError(f"the depth folder {folder} cannot be listed: {error.strerror or error}") from error
    if not files:
        raise SettingsError(f"{folder} holds no depth: give one .npy or 16-bit .png file per frame")
    return files


def read_depth(path: Path, unit: float) -> Float32[np.ndarray, "h w"]:
    """One depth map; 0 where it is not known.

    Args:
        path: `.npy` with numbers [h,w] (or [h,w,1] or [1,h,w]), or a single-channel 16-bit `.png`.
        unit: Depth of one step of a 16-bit image.

    Raises:
        SettingsError: The file is damaged, of another kind, or knows no depth at all.
    """
    depth = _read_array(path) if path.suffix.lower() == ".npy" else _read_png(path) * np.float32(unit)
    depth = np.where(np.isfinite(depth) & (depth > 0), depth, np.float32(0)).astype(np.float32)
    if not depth.any():
        raise SettingsError(f"{path} holds no positive depth: remove it, or give depth along the optical axis")
    return depth


def _read_array(path: Path) -> Float32[np.ndarray, "h w"]:
    try:
        values = np.load(path, allow_pickle=False)
        if values.dtype.kind not in "fiu":
            raise ValueError(f"it holds {values.dtype}")
    except UNREADABLE as error:
        raise SettingsError(f"{path} is not a depth map ({error}): save an array of numbers with numpy.save") from error
    flat = values[..., 0] if values.ndim == 3 and values.shape[-1] == 1 else values
    flat = flat[0] if flat.ndim == 3 and flat.shape[0] == 1 else flat
    if flat.ndim != 2 or min(flat.shape) < 1:
        raise SettingsError(f"{path} must be an array [height, width], found {list(values.shape)}")
    return flat.astype(np.float32)


def _read_png(path: Path) -> Float32[np.ndarray, "h w"]:
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise SettingsError(f"{path} is damaged or not an image: replace it")
    if image.dtype != np.uint16 or image.ndim != 2:
        channels = 1 if image.ndim == 2 else image.shape[2]
        raise SettingsError(
            f"{path} has {channels} channels of {8 * image.itemsize} bits: depth needs one of 16 bits, or use .npy"
        )
    return image.astype(np.float32)
