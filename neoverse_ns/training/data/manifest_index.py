"""Where the lines of a manifest begin: 64-bit numbers in a file beside it, which are mapped and not read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt64

from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.draws import number_of
from neoverse_ns.training.data.whole_file import whole_file

SUFFIX = ".idx"
_CHUNK = 2**24
_MOST_REPEATS = 64
_OFFSETS = np.dtype("<u8")


@dataclass(frozen=True)
class Choice:
    """Which rows of a manifest are wanted.

    Attributes:
        split: Of this split; None of every one.
        static: Only clips that are, or are not, static; None takes both.
    """

    split: str | None = None
    static: bool | None = None

    @property
    def all(self) -> bool:
        return self.split is None and self.static is None

    def takes(self, row: dict[str, Any]) -> bool:
        """Whether it takes a row, as JSON gave it."""
        split, static = row.get("split", "train"), bool(row.get("static", False))
        return self.split in (None, split) and self.static in (None, static)


def index_path(manifest: Path, choice: Choice) -> Path:
    """Where the index of a manifest lies; every choice has its own."""
    if choice.all:
        return manifest.with_name(manifest.name + SUFFIX)
    parts = [] if choice.split is None else [choice.split]
    parts += [] if choice.static is None else ["static" if choice.static else "moving"]
    name = "-".join(parts)
    if not re.fullmatch(r"[\w-]{1,60}", name, re.ASCII):
        name = f"{number_of(name):016x}"
    return manifest.with_name(f"{manifest.name}.{name}{SUFFIX}")


def opened_index(manifest: Path, choice: Choice) -> UInt64[np.ndarray, " n"]:
    """Offsets of the chosen lines and, last, the size of the manifest: mapped from its index, which is made if need be.

    Rows whose weights differ stand in a choice several times, in proportion to them, once where the weight is least.

    Args:
        manifest: JSON lines.
        choice: A choice is made by one pass through the manifest, then kept in its own index.

    Raises:
        ClipError: The manifest cannot be read; or a line is damaged, which only choices look at.
    """
    path = index_path(manifest, choice)
    if not _is_fresh(path, manifest):
        offsets = _line_starts(manifest) if choice.all else _chosen_starts(manifest, choice)
        try:
            write_index(path, offsets)
        except OSError:
            # Data sets may lie where nobody writes; then every process keeps its own.
            return offsets
    return np.memmap(path, dtype=_OFFSETS, mode="r")


def write_index(path: Path, offsets: np.ndarray) -> None:
    """Write an index; whoever opens it meanwhile finds the old one or the new one.

    Raises:
        OSError: It cannot be written.
    """
    with whole_file(path) as file:
        offsets.astype(_OFFSETS, copy=False).tofile(file)


def line_number(manifest: Path, offset: int) -> int:
    """Number, from 1, of the line that begins at an offset."""
    count, left = 1, offset
    with manifest.open("rb") as file:
        while left > 0 and (piece := file.read(min(_CHUNK, left))):
            count += piece.count(b"\n")
            left -= len(piece)
    return count


def _is_fresh(index: Path, manifest: Path) -> bool:
    """Whether an index belongs to the manifest as it is: not older, of its size, and lines begin where it says."""
    try:
        there, of = index.stat(), manifest.stat()
        if there.st_mtime_ns < of.st_mtime_ns or not there.st_size or there.st_size % _OFFSETS.itemsize:
            return False
        offsets = np.memmap(index, dtype=_OFFSETS, mode="r")
        if int(offsets[-1]) != of.st_size:
            return False
        probes = np.unique(np.linspace(0, len(offsets) - 2, 16).astype(np.int64)) if len(offsets) > 1 else []
        with manifest.open("rb") as file:
            return all(_begins_line(file, int(offsets[probe]), of.st_size) for probe in probes)
    except (OSError, ValueError):
        return False


def _begins_line(file: Any, offset: int, size: int) -> bool:
    if offset >= size:
        return False
    file.seek(max(offset - 1, 0))
    return offset == 0 or file.read(1) == b"\n"


def _line_starts(manifest: Path) -> UInt64[np.ndarray, " n"]:
    """Where lines begin that are not blank, and the size."""
    starts, place = [np.zeros(1, dtype=np.uint64)], 0
    try:
        with manifest.open("rb") as file:
            while piece := file.read(_CHUNK):
                ends = np.flatnonzero(np.frombuffer(piece, dtype=np.uint8) == ord("\n"))
                starts.append((ends + 1 + place).astype(np.uint64))
                place += len(piece)
    except OSError as error:
        raise _unreadable(manifest, error) from error
    found = np.concatenate(starts)
    # The last line need not have an end.
    if int(found[-1]) != place:
        found = np.append(found, np.uint64(place))
    lengths = np.diff(found)
    full = lengths > 1
    with manifest.open("rb") as file:
        for number in np.flatnonzero(lengths == 2):
            # Of two bytes, the line of another system's editor is blank too.
            file.seek(int(found[number]))
            full[number] = bool(file.read(2).strip())
    return np.append(found[:-1][full], np.uint64(place))


def _chosen_starts(manifest: Path, choice: Choice) -> UInt64[np.ndarray, " n"]:
    starts, weights, size = [], [], 0
    try:
        size = manifest.stat().st_size
        for number, (start, line) in enumerate(_lines(manifest), start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                if choice.takes(row):
                    starts.append(start)
                    weights.append(float(row.get("weight", 1.0)))
            except (ValueError, TypeError, AttributeError, RecursionError) as error:
                raise ClipError(f"{manifest}, line {number}: damaged ({error}): mend it or take it out") from error
    except OSError as error:
        raise _unreadable(manifest, error) from error
    repeated = np.repeat(np.array(starts, dtype=np.uint64), repeats(np.array(weights)))
    return np.append(repeated, np.uint64(size))


def repeats(weights: np.ndarray) -> np.ndarray:
    """How often each clip comes in an epoch: once where its weight is least, never where it is 0."""
    positive = weights[weights > 0]
    if not positive.size:
        return np.zeros(len(weights), dtype=np.int64)
    return np.clip(np.round(weights / positive.min()), 0, _MOST_REPEATS).astype(np.int64)


def _lines(manifest: Path) -> Iterator[tuple[int, bytes]]:
    place = 0
    with manifest.open("rb") as file:
        for line in file:
            yield place, line
            place += len(line)


def _unreadable(manifest: Path, error: OSError) -> ClipError:
    return ClipError(f"{manifest}: cannot be read ({error.strerror or error}): give a manifest, a file of JSON lines")
