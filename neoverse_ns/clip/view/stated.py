"""Layouts that videos state: spherical and stereo boxes, Matroska's tags and XMP, as FFmpeg hands them on."""

from __future__ import annotations

import struct

from av.video.frame import VideoFrame

from neoverse_ns.clip.view.layout import HALF_SPHERE, STATED, Layout, Sphere, Stereo

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
    return Layout(_STEREO.get(kind), bool(flags & _RIGHT_FIRST), part, unusable, STATED)
