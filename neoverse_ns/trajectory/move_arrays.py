"""The arrays that the release keeps camera motions in."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.trajectory.fields import check_rigid


def frame_matrices(path: Path, what: str) -> tuple[list[Any], list[Tensor]]:
    """`frame_indices` [k] and `frame_matrices` [k,4,4] of an npz file.

    Args:
        path: The file.
        what: What it is, for errors: words before its name.

    Raises:
        SettingsError: It cannot be read, or lacks them.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            indices, matrices = arrays["frame_indices"], arrays["frame_matrices"]
    except KeyError as error:
        raise SettingsError(f"{what}{path} lacks an array: {error}") from error
    except (OSError, ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        # An array without names (.npy) opens, but not as a context: a TypeError, in Python 3.10 an AttributeError.
        raise SettingsError(f"{what}{path} cannot be read as an npz file: {error}") from error
    numeric = indices.dtype.kind in "fiu" and matrices.dtype.kind in "fiu"
    if not numeric or indices.ndim != 1 or matrices.ndim != 3 or matrices.shape[1:] != (4, 4):
        raise SettingsError(
            f"{what}{path} needs numbers frame_indices [k] and frame_matrices [k,4,4], "
            f"found {list(indices.shape)} and {list(matrices.shape)}"
        )
    poses = torch.from_numpy(matrices.astype(np.float64))
    return indices.tolist(), [check_rigid(pose, f"frame_matrices[{i}]") for i, pose in enumerate(poses)]
