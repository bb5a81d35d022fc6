"""QuickTime's keys and values of single tracks, which FFmpeg keeps to itself: phones describe their lens there."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from neoverse_ns.clip.focal.boxes import boxes_in, read_boxes

_TEXT, _FLOAT32, _FLOAT64 = 1, 23, 24
_SIGNED, _UNSIGNED = (21, 65, 66, 67, 74), (22, 75, 76, 77, 78)


def track_values(path: Path) -> list[tuple[str, str]]:
    """Keys and values of all tracks in order; none in files of other kinds."""
    return [pair for meta in read_boxes(path, (b"moov", b"trak", b"meta")) for pair in _pairs(meta)]


def _pairs(meta: bytes) -> Iterator[tuple[str, str]]:
    # QuickTime's own `meta` has no version and flags before its boxes, MPEG-4's has.
    boxes = boxes_in(meta)
    if b"keys" not in boxes:
        boxes = boxes_in(meta[4:])
    keys, items = list(_keys(boxes.get(b"keys", b""))), boxes.get(b"ilst", b"")
    for number, content in boxes_in(items).items():
        (index,) = struct.unpack(">I", number)
        data = boxes_in(content).get(b"data", b"")
        if 1 <= index <= len(keys) and len(data) >= 8:
            value = _value(struct.unpack(">I", data[:4])[0] & 0xFFFFFF, data[8:])
            if value is not None:
                yield keys[index - 1], value


def _keys(content: bytes) -> Iterator[str]:
    place = 8
    while place + 8 <= len(content):
        (size,) = struct.unpack_from(">I", content, place)
        if size < 8:
            return
        yield content[place + 8 : place + size].decode("utf8", "replace")
        place += size


def _value(kind: int, data: bytes) -> str | None:
    if kind == _TEXT:
        return data.decode("utf8", "replace")
    if kind == _FLOAT32 and len(data) == 4:
        return str(struct.unpack(">f", data)[0])
    if kind == _FLOAT64 and len(data) == 8:
        return str(struct.unpack(">d", data)[0])
    if kind in _SIGNED or kind in _UNSIGNED:
        return str(int.from_bytes(data, "big", signed=kind in _SIGNED))
    return None
