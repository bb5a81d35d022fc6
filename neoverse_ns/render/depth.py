"""Depth along a trajectory: as numbers in 16-bit PNGs or an npz, and as a picture to look at."""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from neoverse_ns.render.writers import picture_name, told, whole_folder, write_png

DepthKind = Literal["png", "npz"]

LEVELS_PER_UNIT = 1000
"""Levels of a 16-bit PNG per unit of the world, in which the clip's median depth is about 1."""
ABOUT = "about.json"
"""Name of the file that says what the levels mean."""


@runtime_checkable
class DepthWriter(Protocol):
    """Takes depth maps in their order."""

    def add(self, depth: Float[Tensor, "h w"]) -> None:
        """Write the next one: z-depth, world units, 0 where there is no surface."""
        ...


@contextmanager
def depth_folder(path: Path, times: Float[Tensor, " n"], fps: float) -> Iterator[DepthWriter]:
    """A folder of 16-bit PNGs, which is there whole or not at all, with :data:`ABOUT` beside them.

    Args:
        path: The folder.
        times: Normalised time of every frame.
        fps: Frames per second.

    Raises:
        RunError: It cannot be written.
    """
    about = {
        "value": "z-depth = level / levels_per_unit; 0 where there is no surface, 65535 that far or farther",
        "levels_per_unit": LEVELS_PER_UNIT,
        "unit": "about the median depth of the clip's first frame",
        "fps": fps,
        "times": times.tolist(),
    }
    with whole_folder(path) as draft:
        yield _Levels(draft)
        with told(path):
            (draft / ABOUT).write_text(json.dumps(about, indent=1), "utf8")


class _Levels:
    def __init__(self, folder: Path) -> None:
        self._folder, self._count = folder, 0

    def add(self, depth: Float[Tensor, "h w"]) -> None:
        """Write the next one."""
        levels = (depth * LEVELS_PER_UNIT).round().clamp(0, 65535)
        # What is there at all shall not be taken for nothing.
        levels = torch.where(depth > 0, levels.clamp_min(1), torch.zeros_like(levels))
        write_png(self._folder / picture_name(self._count), levels.numpy().astype(np.uint16))
        self._count += 1


@contextmanager
def depth_arrays(path: Path, times: Float[Tensor, " n"], fps: float) -> Iterator[DepthWriter]:
    """An npz file with `frame_00000` ... [h, w] float32, `times` [n] and `fps`; there whole or not at all.

    One array a frame, since `np.load` reads them one by one, and they are written one by one.

    Raises:
        RunError: It cannot be written.
    """
    with told(path):
        handle, name = tempfile.mkstemp(prefix=".writing-", suffix=".npz", dir=path.parent)
        os.close(handle)
    try:
        with zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            yield _Arrays(archive, path)
            with told(path):
                _store(archive, "times", times.numpy())
                _store(archive, "fps", np.float64(fps))
        with told(path):
            Path(name).chmod(0o644)
            os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


class _Arrays:
    def __init__(self, archive: zipfile.ZipFile, path: Path) -> None:
        self._archive, self._path, self._count = archive, path, 0

    def add(self, depth: Float[Tensor, "h w"]) -> None:
        """Write the next one."""
        with told(self._path):
            _store(self._archive, f"frame_{self._count:05d}", depth.numpy().astype(np.float32))
        self._count += 1


def _store(archive: zipfile.ZipFile, name: str, values: np.ndarray | np.float64) -> None:
    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
        np.lib.format.write_array(file, np.asanyarray(values), allow_pickle=False)


def depth_range(depth: Float[Tensor, "*shape"]) -> tuple[float, float]:
    """Depths that are coloured as nearest and farthest: the 2nd and 98th percentile of what is there; 1, 2 of none."""
    there = depth[depth > 0].double()
    if len(there) == 0:
        return 1.0, 2.0
    near, far = np.quantile(there.numpy(), [0.02, 0.98]).tolist()
    return near, max(far, 1.001 * near)


def coloured_depth(depth: Float[Tensor, "h w"], near: float, far: float) -> UInt8[Tensor, "h w 3"]:
    """Inverse depth in colours from bright (near) to dark (far); black where there is no surface."""
    inverse = 1 / depth.clamp_min(1e-9)
    share = ((inverse - 1 / far) / (1 / near - 1 / far)).clamp(0, 1)
    levels = (share * 255).round().to(torch.uint8).cpu().numpy()
    colours = torch.from_numpy(cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB))
    return torch.where((depth > 0).cpu()[..., None], colours, torch.zeros_like(colours))
