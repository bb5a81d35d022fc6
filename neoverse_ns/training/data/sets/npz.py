"""Single arrays, and single rows of arrays, of npz archives that are too large to load."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase
from math import prod
from pathlib import Path
from typing import cast

import numpy as np
from jaxtyping import Shaped
from numpy.lib import format as npy

from neoverse_ns.errors import UNREADABLE, ClipError
from neoverse_ns.training.data.sets.folder import present

_LOCAL_HEADER = 30
"""Bytes before a member's name in a zip archive."""


@dataclass(frozen=True)
class NpzEntry:
    """What an array's header says.

    Attributes:
        shape: Of the array.
        dtype: Of its elements.
        fortran: Elements of the first dimension lie side by side, so that a row is strewn over the whole.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    fortran: bool


def npz_entries(path: Path) -> dict[str, NpzEntry]:
    """Arrays of an archive by name; reads headers only.

    Raises:
        ClipError: It is missing or damaged.
    """
    with _opened(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".npy")]
        found = {}
        for name in names:
            with _member(path, archive, name) as file:
                found[name.removesuffix(".npy")] = _header(file)
        return found


def npz_rows(path: Path, name: str, rows: Sequence[int]) -> list[Shaped[np.ndarray, "..."]]:
    """Rows along the first dimension, in the order asked for, without more than one row in memory beside them.

    Rows of an uncompressed archive cost their own size only; a compressed one is unpacked up to the last row.

    Raises:
        ClipError: The archive is missing or damaged, has no such array, or no such row.
    """
    with _opened(path) as archive:
        _must_have(path, name, [entry.removesuffix(".npy") for entry in archive.namelist()])
        with _member(path, archive, f"{name}.npy") as file:
            header = _header(file)
            if not header.shape or not all(0 <= row < header.shape[0] for row in rows):
                raise ClipError(f"{path}: '{name}' of shape {header.shape} lacks one of the rows {list(rows)}")
            if header.dtype.hasobject:
                raise ClipError(f"{path}: '{name}' holds Python objects instead of numbers")
            if header.fortran:
                values = np.frombuffer(_exactly(file, prod(header.shape) * header.dtype.itemsize), header.dtype)
                whole = values.reshape(header.shape, order="F")
                return [whole[row].copy() for row in rows]
            return _rows_in_order(file, header, rows)


def _rows_in_order(file: BufferedIOBase, header: NpzEntry, rows: Sequence[int]) -> list[np.ndarray]:
    start, shape = file.tell(), header.shape[1:]
    size = prod(shape) * header.dtype.itemsize
    found: dict[int, np.ndarray] = {}
    # Ascending, because a compressed stream can only be read forward.
    for row in sorted(set(rows)):
        file.seek(start + row * size)
        found[row] = np.frombuffer(_exactly(file, size), header.dtype).reshape(shape).copy()
    return [found[row] for row in rows]


def _exactly(file: BufferedIOBase, size: int) -> bytes:
    data = file.read(size)
    if len(data) != size:
        raise EOFError(f"ends {size - len(data)} bytes too early")
    return data


def _header(file: BufferedIOBase) -> NpzEntry:
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, dtype = read(file)
    # One dimension or fewer lies the same way in both orders.
    return NpzEntry(tuple(shape), dtype, fortran and len(shape) > 1)


def _must_have(path: Path, name: str, names: Sequence[str]) -> None:
    if name not in names:
        raise ClipError(f"{path}: holds no '{name}', but {', '.join(sorted(names)) or 'nothing'}")


@contextmanager
def _member(path: Path, archive: zipfile.ZipFile, name: str) -> Iterator[BufferedIOBase]:
    """One array's file. What is not compressed is read past the archive, which would step through all before a row."""
    info = archive.getinfo(name)
    if info.compress_type != zipfile.ZIP_STORED:
        with archive.open(info) as file:
            yield cast(BufferedIOBase, file)
        return
    with path.open("rb") as file:
        file.seek(info.header_offset)
        header = file.read(_LOCAL_HEADER)
        if header[:4] != b"PK\x03\x04":
            raise zipfile.BadZipFile(f"nothing is found where '{name}' should begin")
        file.seek(sum(struct.unpack("<2H", header[26:30])), 1)
        yield file


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    present(path)
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except ClipError:
        raise
    except (*UNREADABLE, zlib.error) as error:
        raise ClipError(f"{path}: cannot be read ({error})") from error
