"""Layouts that files state: spherical and stereo boxes, Matroska tags, XMP, as FFmpeg hands them on; photo spheres."""

from __future__ import annotations

import re
import struct
from pathlib import Path

from av.video.frame import VideoFrame
from PIL import Image

from neoverse_ns.clip.view.layout import HALF_SPHERE, Layout, Sphere, Stereo

_ORIGIN = "its metadata says so"
# FFmpeg's enumerations: AVStereo3DType and AVSphericalProjection.
_STEREO: dict[int, Stereo] = {1: "beside", 5: "beside", 2: "above"}
_MIXED = {4: "a checkerboard of both eyes", 6: "lines of both eyes", 7: "columns of both eyes"}
_RIGHT_FIRST = 1
_WHOLE, _TILE, _HALF = 0, 2, 3
_OTHER = {1: "a cube map", 5: "a fisheye picture"}


def stated_layout(frame: VideoFrame) -> Layout | None:
    """What the metadata of a video says of its pictures; None where it says nothing."""
    stereo, sphere = frame.side_data.get("STEREO3D"), frame.side_data.get("SPHERICAL")
    if stereo is None and sphere is None:
        return None
    kind, flags = struct.unpack("<ii", bytes(stereo)[:8]) if stereo is not None else (0, 0)
    unusable = _MIXED.get(kind)
    part: Sphere | None = None
    if sphere is not None:
        projection, _, _, _, left, top, right, bottom = struct.unpack("<iiii4I", bytes(sphere)[:32])
        if projection == _WHOLE:
            part = Sphere()
        elif projection == _HALF:
            part = HALF_SPHERE
        elif projection == _TILE:
            part = Sphere(*(share / 2**32 for share in (left, right, top, bottom)))
        unusable = unusable or _OTHER.get(projection)
    return Layout(_STEREO.get(kind), bool(flags & _RIGHT_FIRST), part, unusable, _ORIGIN)


def stated_photo_layout(path: Path) -> Layout | None:
    """What the XMP of a photo sphere says (GPano); None where it says nothing, or nothing can be read."""
    try:
        with Image.open(path) as image:
            size, xmp = image.size, image.info.get("xmp", b"")
    except Exception:  # Whatever is wrong with the file is said where its pixels are read.
        return None
    text = xmp.decode("utf8", "replace") if isinstance(xmp, bytes) else str(xmp)
    if not re.search(r"GPano:ProjectionType\s*(?:=\s*[\"']|>)\s*equirectangular", text):
        return None

    def number(name: str, default: float) -> float:
        found = re.search(rf"GPano:{name}\s*(?:=\s*[\"']|>)\s*([0-9.]+)", text)
        return float(found.group(1)) if found and float(found.group(1)) >= 0 else default

    part_w, part_h = (
        number("CroppedAreaImageWidthPixels", float(size[0])),
        number("CroppedAreaImageHeightPixels", float(size[1])),
    )
    full_w = max(number("FullPanoWidthPixels", part_w), part_w, 1.0)
    full_h = max(number("FullPanoHeightPixels", part_h), part_h, 1.0)
    left = min(number("CroppedAreaLeftPixels", (full_w - part_w) / 2), full_w - part_w) / full_w
    top = min(number("CroppedAreaTopPixels", (full_h - part_h) / 2), full_h - part_h) / full_h
    part = Sphere(left, 1 - left - part_w / full_w, top, 1 - top - part_h / full_h)
    return Layout(sphere=part, origin=_ORIGIN)
