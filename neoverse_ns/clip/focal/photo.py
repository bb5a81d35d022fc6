"""Focal length of a photograph from its EXIF and XMP."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from neoverse_ns.clip.focal.hint import PHOTO_UNCERTAINTY, VIDEO_UNCERTAINTY, SourceFocal, photo_pixels

_EXIF = 0x8769
_MAKE = 0x010F
_FOCAL_LENGTH = 0x920A
_FOCAL_35MM = 0xA405
_DIGITAL_ZOOM = 0xA404
_WIDTH, _HEIGHT = 0xA002, 0xA003
_PLANE_X, _PLANE_UNIT = 0xA20E, 0xA210
#: Millimetres per unit of the focal plane's resolution; 1 means "none", which cameras write for inches.
_UNITS = {1: 25.4, 2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
# DJI's drones state what they were calibrated to, in pixels of the uncut photograph.
_CALIBRATED = re.compile(rb"CalibratedFocalLength\s*(?:=\s*[\"']|>)\s*([0-9.]+)")
# Two statements of one file closer than this agree.
_AGREE = 0.1


@dataclass(frozen=True)
class _Cut:
    """What became of the photograph that the statements are about.

    Attributes:
        size: Width and height as taken.
        scale: Pixels here per pixel as taken.
        uncertainty: Of that scale, relative.
    """

    size: tuple[int, int]
    scale: float
    uncertainty: float


def photo_focal(path: Path) -> SourceFocal | None:
    """Focal length that an image file states; None where it states none, or makes no sense.

    The 35 mm equivalent, or the real focal length with the resolution of the sensor, or DJI's calibrated one, for the
    photograph as it was taken: scaled where it was resized since, left in doubt where it was cut or digitally zoomed.
    Which way up it is does not matter.
    """
    try:
        with Image.open(path) as image:
            exif = Image.Image.getexif(image)
            values: dict[int, Any] = dict(exif.get_ifd(_EXIF))
            maker, size = str(exif.get(_MAKE, "")), image.size
            xmp = image.info.get("xmp", b"")
    except Exception:  # Whatever is wrong with the file is said where its pixels are read.
        return None
    cut = _since_taken(values, size)
    found = [
        *_calibrated(xmp if isinstance(xmp, bytes) else str(xmp).encode()),
        *_by_sensor(values),
        *_by_equivalent(values, maker, cut.size),
    ]
    if not found:
        return None
    first, last = found[0], found[-1]
    apart = abs(math.log(first.pixels / last.pixels))
    # The equivalent is the one that everybody writes; a sensor's resolution often is that of another mode.
    best = first if apart < _AGREE else last
    doubt = math.hypot(best.uncertainty, cut.uncertainty, 0.0 if apart < _AGREE else apart / 2)
    return SourceFocal(best.pixels * cut.scale, doubt, best.origin)


def _since_taken(values: dict[int, Any], size: tuple[int, int]) -> _Cut:
    taken = tuple(int(_number(values.get(tag)) or 0) for tag in (_WIDTH, _HEIGHT))
    if min(taken) < 16:
        return _Cut(size, 1.0, 0.0)
    # Turning a photograph swaps its sides, but not always what EXIF says of them.
    if (taken[0] > taken[1]) != (size[0] > size[1]):
        taken = taken[::-1]
    across, down = size[0] / taken[0], size[1] / taken[1]
    if abs(math.log(across / down)) < 0.02:
        return _Cut((taken[0], taken[1]), (across + down) / 2, 0.0)
    # Cut to another shape: one side may have been kept in full; and how much of it is not told.
    return _Cut((taken[0], taken[1]), max(across, down), VIDEO_UNCERTAINTY)


def _calibrated(xmp: bytes) -> list[SourceFocal]:
    found = _CALIBRATED.search(xmp)
    value = _number(found.group(1).decode()) if found else None
    # Other makers' tags of that name are in millimetres.
    return [SourceFocal(value, 0.02, "the drone's calibration in XMP")] if value is not None and value > 200 else []


def _by_sensor(values: dict[int, Any]) -> list[SourceFocal]:
    focal, resolution = _number(values.get(_FOCAL_LENGTH)), _number(values.get(_PLANE_X))
    unit = _UNITS.get(int(_number(values.get(_PLANE_UNIT)) or 2))
    if focal is None or resolution is None or unit is None:
        return []
    origin = f"EXIF, {focal:.3g} mm on a sensor of known resolution"
    return [SourceFocal(focal * resolution / unit, PHOTO_UNCERTAINTY, origin)]


def _by_equivalent(values: dict[int, Any], maker: str, size: tuple[int, int]) -> list[SourceFocal]:
    equivalent = _number(values.get(_FOCAL_35MM))
    if equivalent is None or not 4 <= equivalent <= 2000:
        return []
    uncertainty, origin = PHOTO_UNCERTAINTY, f"EXIF, {equivalent:.3g} mm in 35 mm terms"
    zoom = _number(values.get(_DIGITAL_ZOOM)) or 1.0
    if zoom > 1.02 and "apple" not in maker.lower():
        # Some count digital zoom in, as Apple does, others do not: the truth is at one end of this.
        origin = f"{origin}, with a digital zoom of {zoom:.3g}"
        uncertainty, equivalent = math.hypot(uncertainty, math.log(zoom) / 2), equivalent * math.sqrt(zoom)
    return [SourceFocal(photo_pixels(equivalent, size), uncertainty, origin)]


def _number(value: Any) -> float | None:
    """A positive, finite number; EXIF's fractions may divide by 0."""
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) and number > 0 else None
