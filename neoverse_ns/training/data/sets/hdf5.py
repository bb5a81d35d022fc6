"""Arrays of HDF5 files, which data sets keep picture-like numbers in."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from neoverse_ns.errors import UNREADABLE, ClipError, PackageError
from neoverse_ns.training.data.sets.folder import present


def read_hdf5(path: Path, key: str) -> Shaped[np.ndarray, "..."]:
    """One array of a file.

    Raises:
        ClipError: The file is missing or damaged, or holds no such array.
        PackageError: h5py is not installed.
    """
    with _opened(path, key) as array:
        return np.asarray(array[()])


def hdf5_shape(path: Path, key: str) -> tuple[int, ...]:
    """Shape of one array of a file, from its header.

    Raises:
        ClipError: The file is missing or damaged, or holds no such array.
        PackageError: h5py is not installed.
    """
    with _opened(path, key) as array:
        return tuple(array.shape)


@contextmanager
def _opened(path: Path, key: str) -> Iterator[Any]:
    try:
        h5py: Any = importlib.import_module("h5py")
    except ImportError as error:
        raise PackageError(f"{path}: HDF5 files need the package h5py: pip install 'neoverse-ns[datasets]'") from error
    present(path)
    try:
        with h5py.File(path, "r") as file:
            if key not in file:
                raise ClipError(f"{path}: has no array '{key}', but {', '.join(sorted(file)) or 'nothing'}")
            yield file[key]
    except ClipError:
        raise
    except UNREADABLE as error:
        raise ClipError(f"{path}: cannot be read ({error})") from error
