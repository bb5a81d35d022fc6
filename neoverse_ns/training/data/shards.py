"""Shards: plain tar files of about a gigabyte, any member of which is found without reading the others."""

from __future__ import annotations

import io
import json
import os
import tarfile
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from neoverse_ns.errors import UNREADABLE, ClipError
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.whole_file import whole_file

INDEX_SUFFIX = ".members.json"
LIST = "shards.json"
"""List of a folder's shards, as the package wids has it."""


@dataclass(frozen=True)
class Member:
    """A file within a shard.

    Attributes:
        name: Its path there.
        header: Where its record begins, in bytes of the shard.
        offset: Where its content begins.
        size: Of the content.
    """

    name: str
    header: int
    offset: int
    size: int


def members_of(shard: Path) -> list[Member]:
    """All files of a shard in their order, from the index beside it, which is made if need be.

    Raises:
        ClipError: It is not there, or no plain tar file, or cut short.
    """
    try:
        there = shard.stat()
    except OSError as error:
        raise ClipError(f"{shard}: no such shard ({error.strerror or error})") from error
    return list(_members(shard, there.st_size, there.st_mtime_ns))


def open_member(folder: Path, row: ManifestRow) -> io.BufferedReader:
    """The bytes of a row's file within a shard, as a file that can be read anywhere; to be closed by the caller.

    Raises:
        ClipError: The shard is not there, or shorter than the row says.
    """
    shard, offset, size = place_of(folder, row)
    return io.BufferedReader(Part(shard, offset, size))


def place_of(folder: Path, row: ManifestRow) -> tuple[Path, int, int]:
    """Shard, offset and size that a row names.

    Raises:
        ClipError: It names none.
    """
    source = row.source
    shard, offset, size = source.get("shard"), source.get("offset"), source.get("size")
    if not isinstance(shard, str) or not isinstance(offset, int) or not isinstance(size, int):
        raise ClipError(f"clip {row.id}: its source needs the shard's name, offset and size in bytes")
    return folder / shard, offset, size


class Part(io.RawIOBase):
    """A stretch of a file, as a file of its own."""

    def __init__(self, path: Path, offset: int, size: int) -> None:
        """Open it.

        Raises:
            ClipError: The file is not there, or does not reach so far.
        """
        try:
            self._file = path.open("rb", buffering=0)
        except OSError as error:
            raise ClipError(f"{path}: no such shard ({error.strerror or error})") from error
        if offset < 0 or size < 0 or offset + size > os.fstat(self._file.fileno()).st_size:
            self._file.close()
            raise ClipError(f"{path}: shorter than its index says; it was cut short, or the index is of another")
        self._offset, self._size, self._place = offset, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        self._place = max(start + offset, 0)
        return self._place

    def readinto(self, buffer: bytearray | memoryview) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        wanted = min(len(buffer), max(self._size - self._place, 0))
        if wanted == 0:
            return 0
        self._file.seek(self._offset + self._place)
        count = self._file.readinto(memoryview(buffer)[:wanted]) or 0
        self._place += count
        return count

    def close(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()
        super().close()


@lru_cache(maxsize=64)
def _members(shard: Path, size: int, modified: int) -> tuple[Member, ...]:
    beside = shard.with_name(shard.name + INDEX_SUFFIX)
    try:
        kept = json.loads(beside.read_bytes())
        if kept["size"] == size and beside.stat().st_mtime_ns >= modified:
            return tuple(Member(*entry) for entry in kept["members"])
    except UNREADABLE:
        # It is not there, or damaged: the shard itself will tell.
        pass
    found = tuple(_read_members(shard))
    # Where nobody writes, every process looks for itself, once.
    with suppress(OSError):
        write_member_index(shard, size, found)
    return found


def write_member_index(shard: Path, size: int, members: tuple[Member, ...]) -> None:
    """Write the index of a shard beside it.

    Raises:
        OSError: It cannot be written.
    """
    entries = [[m.name, m.header, m.offset, m.size] for m in members]
    with whole_file(shard.with_name(shard.name + INDEX_SUFFIX)) as file:
        file.write(json.dumps({"size": size, "members": entries}).encode())


def _read_members(shard: Path) -> list[Member]:
    try:
        with tarfile.open(shard, "r:") as archive:
            return [Member(m.name, m.offset, m.offset_data, m.size) for m in archive if m.isreg()]
    except (OSError, tarfile.TarError, ValueError) as error:
        raise ClipError(f"{shard}: no plain tar file, or damaged ({error})") from error
