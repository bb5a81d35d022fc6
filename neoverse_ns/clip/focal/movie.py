"""Focal length of a video from its metadata: QuickTime keys, GoPro's field of view, drones' subtitles."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from neoverse_ns.clip.focal.drone import drone_focal
from neoverse_ns.clip.focal.gopro import gopro_focal, read_gopro
from neoverse_ns.clip.focal.hint import VIDEO_UNCERTAINTY, SourceFocal, video_pixels
from neoverse_ns.clip.focal.quicktime import track_values

_EQUIVALENT = "camera.focal_length.35mm_equivalent"
_LENS = "camera.lens_model"
# "24 mm (35 mm eq)", "24mm 35mm equivalent"; the real focal length, which lens names give as well, says nothing.
_IN_LENS = re.compile(r"(\d+(?:\.\d+)?)\s*mm[\s,(]*(?:in\s+)?35\s*mm[\s-]*eq", re.IGNORECASE)


def movie_focal(path: Path, size: tuple[int, int], metadata: Mapping[str, str], notes: list[str]) -> SourceFocal | None:
    """Focal length that a video file states; None where it states none.

    Phones that run Android write make and frame rate, but nothing of the lens.

    Args:
        path: The file.
        size: Upright width and height of its frames in square pixels.
        metadata: Keys and values of the file and of its picture.
        notes: Told of lenses that bend straight lines.
    """
    camera = read_gopro(path)
    if camera is not None:
        return gopro_focal(camera, size, notes)
    for key, value in [*track_values(path), *metadata.items()]:
        equivalent = _equivalent(key.lower(), value)
        if equivalent is not None:
            origin = f"the video's metadata, {equivalent:.3g} mm in 35 mm terms"
            return SourceFocal(video_pixels(equivalent, size), VIDEO_UNCERTAINTY, origin)
    return drone_focal(path, size)


def _equivalent(key: str, value: str) -> float | None:
    text = value
    if key.endswith(_LENS):
        found = _IN_LENS.search(value)
        text = found.group(1) if found else ""
    elif not key.endswith(_EQUIVALENT):
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 4 <= number <= 500 else None
