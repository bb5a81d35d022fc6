"""Paths as arrays of an npz file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.errors import UNREADABLE, SettingsError
from neoverse_ns.trajectory.fields import check_rigid
from neoverse_ns.trajectory.foreign.entry import Label
from neoverse_ns.trajectory.foreign.path import ForeignPath

_NUMBERS = ("frame_index", "frame_indices")


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """All arrays of an npz file.

    Raises:
        SettingsError: The file is missing, damaged, or something else.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except UNREADABLE as error:
        raise SettingsError(f"{path} cannot be read as an npz file of arrays: {error}") from error


def path_of_arrays(arrays: dict[str, Any], where: str) -> ForeignPath:
    """A path of arrays with these names; all but `c2w` may be left out.

    - `c2w` [n,4,4] or [n,3,4]: camera-to-world, OpenCV axes;
    - `K` [n,3,3] or [3,3]: intrinsics in pixels of `width` x `height`; without these the principal point is taken for
      the picture's middle;
    - `times` [n]: normalised, 0 for the clip's first frame and 1 for its last, or `seconds` [n] from any start;
    - `frame_index` [n]: which frames of the source the cameras belong to, from 0;
    - `fps`: frames per second of a video along it.

    Raises:
        SettingsError: An array is missing or of another shape; names it.
    """
    c2w = _array(arrays, "c2w", where)
    if c2w.ndim != 3 or c2w.shape[1:] not in ((4, 4), (3, 4)) or not len(c2w):
        raise SettingsError(f"{where}: 'c2w' must be [n,4,4] or [n,3,4], found {list(c2w.shape)}")
    poses = torch.eye(4, dtype=torch.float64).repeat(len(c2w), 1, 1)
    poses[:, : c2w.shape[1]] = torch.from_numpy(c2w)
    for i, pose in enumerate(poses):
        check_rigid(pose, f"{where}: c2w[{i}]")
    K, size = _intrinsics(arrays, len(c2w), where)
    shares = "times" in arrays
    name = "times" if shares else "seconds"
    times = _column(arrays, name, len(c2w), where) if name in arrays else None
    if times is not None and bool((times.diff() < 0).any()):
        raise SettingsError(f"{where}: '{name}' must not go back")
    if times is not None and shares and not bool(((times >= 0) & (times <= 1)).all()):
        raise SettingsError(f"{where}: 'times' must lie in 0 to 1; call them 'seconds' if they are")
    numbers = next((_column(arrays, key, len(c2w), where) for key in _NUMBERS if key in arrays), None)
    labels = None if numbers is None else tuple(Label("", round(number)) for number in numbers.tolist())
    fps = float(_array(arrays, "fps", where).reshape(-1)[0]) if "fps" in arrays else None
    if fps is not None and not fps > 0:
        raise SettingsError(f"{where}: 'fps' must be above 0, found {fps:g}")
    clock = "shares" if shares else "seconds"
    return ForeignPath(poses, K, size, labels, times, clock, fps, own_world=labels is None)


def _intrinsics(
    arrays: dict[str, Any], count: int, where: str
) -> tuple[Float64[Tensor, "n 3 3"] | None, tuple[int, int] | None]:
    if "K" not in arrays:
        return None, None
    K = torch.from_numpy(_array(arrays, "K", where))
    K = K.expand(count, 3, 3).clone() if K.ndim == 2 else K
    if K.shape != (count, 3, 3) or not bool((K[:, [0, 1], [0, 1]] > 0).all()):
        raise SettingsError(f"{where}: 'K' must be [n,3,3] or [3,3] with focal lengths above 0, found {list(K.shape)}")
    if "width" in arrays and "height" in arrays:
        width, height = (round(float(_array(arrays, key, where).reshape(-1)[0])) for key in ("width", "height"))
    else:
        width, height = (round(2 * float(K[0, axis, 2])) for axis in (0, 1))
    if min(width, height) < 1:
        raise SettingsError(f"{where}: 'K' needs 'width' and 'height' of its pictures, found {width}x{height}")
    return K, (width, height)


def _column(arrays: dict[str, Any], name: str, count: int, where: str) -> Float64[Tensor, " n"]:
    values = torch.from_numpy(_array(arrays, name, where))
    if values.shape != (count,):
        raise SettingsError(f"{where}: '{name}' must be [{count}], found {list(values.shape)}")
    return values


def _array(arrays: dict[str, Any], name: str, where: str) -> Float64[np.ndarray, "..."]:
    """A finite array of numbers."""
    if name not in arrays:
        raise SettingsError(f"{where} lacks the array '{name}'; found {', '.join(sorted(arrays)) or 'none'}")
    values = np.asarray(arrays[name])
    if values.dtype.kind not in "fiu" or not np.isfinite(values).all() or not values.size:
        raise SettingsError(f"{where}: '{name}' must hold finite numbers")
    return values.astype(np.float64)
