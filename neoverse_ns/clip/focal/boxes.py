"""Finding boxes in an MP4 or QuickTime file, by seeking from header to header."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

# Larger pieces of metadata than this are not what is looked for here.
_MOST_BYTES = 1 << 20
# A file of more boxes in one place than this is damaged, or no MP4.
_MOST_BOXES = 10_000


def read_boxes(path: Path, names: Sequence[bytes]) -> list[bytes]:
    """Contents of the boxes at a path such as (b"moov", b"udta", b"GPMF"); none where there are none, or in no MP4."""
    try:
        with path.open("rb") as file:
            ranges = [(0, file.seek(0, 2))]
            for name in names:
                ranges = [found for start, stop in ranges for found in _named(file, start, stop, name)]
            contents = []
            for start, stop in ranges:
                file.seek(start)
                contents.append(file.read(stop - start) if stop - start <= _MOST_BYTES else b"")
            return contents
    except (OSError, struct.error):
        return []


def boxes_in(content: bytes) -> dict[bytes, bytes]:
    """Kinds and contents of boxes that are there already; of several of a kind the first."""
    found: dict[bytes, bytes] = {}
    with io.BytesIO(content) as file:
        for kind, start, stop in _boxes(file, 0, len(content)):
            found.setdefault(kind, content[start:stop])
    return found


def _named(file: io.BufferedIOBase, start: int, stop: int, name: bytes) -> list[tuple[int, int]]:
    return [(begin, end) for kind, begin, end in _boxes(file, start, stop) if kind == name]


def _boxes(file: io.BufferedIOBase, start: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
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
