"""Focal lengths in the subtitles that DJI's drones write: one line of readings per frame, in the video or beside it."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import av
import av.error

from neoverse_ns.clip.focal.hint import VIDEO_UNCERTAINTY, SourceFocal, video_pixels

_FOCAL = re.compile(r"\[?\bfocal_len\s*:\s*([0-9.]+)")
_ZOOM = re.compile(r"\bdzoom_ratio\s*:\s*([0-9.]+)")
# Enough for the first readings: bytes of a file beside the video, lines in it, packets of any kind before those. Films
# are spoken in much later.
_BYTES, _LINES, _PACKETS = 8192, 3, 300


def drone_focal(path: Path, size: tuple[int, int]) -> SourceFocal | None:
    """Focal length from `focal_len`, a 35 mm equivalent, and `dzoom_ratio`; None where nothing of the kind is written.

    Args:
        path: A video; `.srt` files of the same name beside it are read, too.
        size: Width and height of the frames.
    """
    text = _inside(path) or _beside(path)
    found = _FOCAL.search(text)
    if found is None:
        return None
    try:
        equivalent = float(found.group(1))
        zoom = _ZOOM.search(text)
        ratio = float(zoom.group(1)) if zoom else 1.0
    except ValueError:
        return None
    # Some models write tenths of a millimetre, without a point; and ten-thousandths of a ratio.
    equivalent /= 10.0 if "." not in found.group(1) and equivalent >= 100 else 1.0
    ratio /= 10_000.0 if ratio >= 1000 else 1.0
    if not (4 <= equivalent <= 500 and 1 <= ratio <= 100):
        return None
    pixels = video_pixels(equivalent * ratio, size)
    return SourceFocal(pixels, VIDEO_UNCERTAINTY, f"the drone's subtitles, {equivalent * ratio:.3g} mm in 35 mm terms")


def _inside(path: Path) -> str:
    try:
        with av.open(str(path.resolve()), options={"protocol_whitelist": "file"}) as container:
            streams = container.streams.subtitles
            if not streams:
                return ""
            read: list[bytes] = []
            for packet in itertools.islice(container.demux(), _PACKETS):
                if packet.stream.index == streams[0].index:
                    read.append(bytes(packet))
                if len(read) >= _LINES:
                    break
    except (av.error.FFmpegError, OSError, ValueError):
        return ""
    return b"\n".join(read).decode("utf8", "replace")


def _beside(path: Path) -> str:
    for suffix in (".srt", ".SRT"):
        try:
            with path.with_suffix(suffix).open("rb") as file:
                return file.read(_BYTES).decode("utf8", "replace")
        except (OSError, ValueError):
            continue
    return ""
