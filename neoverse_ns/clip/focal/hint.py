"""What is known of a focal length before anything is measured, and the conventions behind "35 mm equivalents"."""

from __future__ import annotations

import math
from dataclasses import dataclass

#: Diagonal of a frame of 35 mm film, 36 mm by 24 mm, to which equivalents refer (CIPA DCG-001: by the diagonal).
FILM_DIAGONAL = math.hypot(36.0, 24.0)

#: Relative uncertainty of an equivalent in a photograph: whole millimetres, and lenses that are not quite as engraved.
PHOTO_UNCERTAINTY = 0.03
#: The same in a video, which shows less of the sensor than a photograph: cut to 16:9, and cropped to be stabilised.
VIDEO_UNCERTAINTY = 0.15


@dataclass(frozen=True)
class FocalHint:
    """A focal length as a clip knows it.

    Attributes:
        focal: Focal length over the width of the clip's frames.
        uncertainty: Its relative standard deviation.
        origin: Who says so, for people to read.
    """

    focal: float
    uncertainty: float
    origin: str


@dataclass(frozen=True)
class SourceFocal:
    """A focal length as a source of frames knows it.

    Attributes:
        pixels: Focal length in square pixels of the source's upright frames.
        uncertainty: Its relative standard deviation.
        origin: Who says so, for people to read.
    """

    pixels: float
    uncertainty: float
    origin: str

    def in_frames(self, scale: float, width: int) -> FocalHint:
        """The same for frames scaled by `scale`, then `width` pixels wide."""
        return FocalHint(self.pixels * scale / width, self.uncertainty, self.origin)


def photo_pixels(equivalent: float, size: tuple[int, int]) -> float:
    """Focal length in pixels of an uncut photograph.

    Args:
        equivalent: 35 mm equivalent, mm.
        size: Width and height of the photograph, either way up.
    """
    return equivalent / FILM_DIAGONAL * math.hypot(*size)


def video_pixels(equivalent: float, size: tuple[int, int]) -> float:
    """Focal length in pixels of a video whose camera states the equivalent of its whole sensor.

    Wider pictures than 4:3 are taken for cut from the full width of a 4:3 sensor, as phones and drones do; what
    stabilisation crops away is not stated anywhere, and left to the uncertainty.

    Args:
        equivalent: 35 mm equivalent, mm.
        size: Width and height of the frames, either way up.
    """
    longer, shorter = max(size), min(size)
    return photo_pixels(equivalent, (longer, max(shorter, round(longer * 3 / 4))))
