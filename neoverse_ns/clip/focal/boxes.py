"""Finding one box in an MP4 or QuickTime file, by seeking from header to header."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

# Larger pieces of metadata than this are not what is looked for here.
_MOST_BYTES = 1 << 20
# A file of more boxes in one place than this is damaged, or no MP4.
_MOST_BOXES = 10_000


def read_box(path: Path, names: Sequence[bytes]) -> bytes | None:
    """Content of the first box at a path such as (b"moov", b"udta", b"GPMF"); None where there is none, or no MP4."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, 2)
            start, stop = 0, end
            for name in names:
                found = next((place for kind, *place in _boxes(file, start, stop) if kind == name), None)
                if found is None:
                    return None
                start, stop = found
            if not 0 <= stop - start <= _MOST_BYTES:
                return None
            file.seek(start)
            return file.read(stop - start)
    except (OSError, struct.error, ValueError):
        return None


def _boxes(file: BinaryIO, start: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of the content of each box in a range of the file."""
    for _ in range(_MOST_BOXES):
        if start + 8 > stop:
            return
        file.seek(start)
        size, kind = struct.unpack(">I4s", file.read(8))
        header = 8
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
            header = 16
        elif size == 0:
            size = stop - start
        if size < header or start + size > stop:
            return
        yield kind, start + header, start + size
        start += size
