"""Boxes of MP4 files written by hand, and put where they belong."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

SAMPLE_ENTRY = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1")
"""Where a picture's spherical and stereo boxes lie."""
# Bytes before the boxes inside of a box, where there are any.
_FIELDS = {b"stsd": 8, b"avc1": 78}


def box(kind: bytes, *content: bytes) -> bytes:
    """A box with its size and kind in front."""
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full_box(kind: bytes, *content: bytes) -> bytes:
    """A box whose content begins with version 0 and no flags."""
    return box(kind, bytes(4), *content)


def insert(path: Path, parents: Sequence[bytes], child: bytes) -> None:
    """Put a box at the end of the first box at `parents`; of those, missing ones at the end of the list are made.

    The index must lie behind the pictures, as it does unless asked otherwise, or they would move away from it.
    """
    data = path.read_bytes()
    assert data.index(b"mdat") < data.index(b"moov")
    path.write_bytes(_inserted(data, list(parents), child))


def _inserted(data: bytes, parents: list[bytes], child: bytes) -> bytes:
    if not parents:
        return data + child
    place = 0
    while place < len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        if kind == parents[0]:
            head = place + 8 + _FIELDS.get(kind, 0)
            inside = _inserted(data[head : place + size], parents[1:], child)
            grown = struct.pack(">I", head - place + len(inside)) + data[place + 4 : head] + inside
            return data[:place] + grown + data[place + size :]
        place += size
    return data + box(parents[0], _inserted(b"", parents[1:], child))


def stereo_box(mode: int) -> bytes:
    """`st3d`: 0 mono, 1 top and bottom, 2 left and right."""
    return full_box(b"st3d", bytes([mode]))


def spherical_box(left: float = 0, top: float = 0, right: float = 0, bottom: float = 0) -> bytes:
    """`sv3d`, equirectangular, with shares of the sphere that are cut off."""
    bounds = [min(round(share * 2**32), 2**32 - 1) for share in (top, bottom, left, right)]
    return box(
        b"sv3d",
        full_box(b"svhd", b"made by hand\0"),
        box(b"proj", full_box(b"prhd", struct.pack(">3i", 0, 0, 0)), full_box(b"equi", struct.pack(">4I", *bounds))),
    )


def cube_box() -> bytes:
    """`sv3d`, a cube map."""
    return box(
        b"sv3d",
        full_box(b"svhd", b"made by hand\0"),
        box(b"proj", full_box(b"prhd", bytes(12)), full_box(b"cbmp", struct.pack(">2I", 0, 0))),
    )


def quicktime_keys(values: dict[str, bytes]) -> bytes:
    """`meta` with keys and their values, which begin with their type."""
    keys = b"".join(struct.pack(">I4s", 8 + len(key), b"mdta") + key.encode() for key in values)
    items = b"".join(
        box(struct.pack(">I", number), box(b"data", value[:4], bytes(4), value[4:]))
        for number, value in enumerate(values.values(), 1)
    )
    handler = full_box(b"hdlr", bytes(4), b"mdta", bytes(12), b"\0")
    return box(b"meta", handler, full_box(b"keys", struct.pack(">I", len(values)), keys), box(b"ilst", items))


def gopro_values(values: dict[bytes, tuple[bytes, bytes]]) -> bytes:
    """GPMF: keys with their type and raw value."""
    written = b""
    for key, (kind, value) in values.items():
        padded = value + bytes(-len(value) % 4)
        size = {b"c": 1, b"f": 4, b"\0": 1}[kind]
        written += key + kind + bytes([size]) + struct.pack(">H", len(value) // size) + padded
    return written
