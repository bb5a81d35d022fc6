"""When the images of a folder were taken: frames of a video at a steady rate, or photos one by one."""

from __future__ import annotations

import itertools
import math
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from neoverse_ns.clip.image_order import running_numbers
from neoverse_ns.clip.unlikeness import unlikeness
from neoverse_ns.console import progress

VIDEO_RATE = 30.0
"""Images per second of a folder of frames where no rate is given."""
PHOTO_RATE = 8.0
"""Photos per second of the clip that they become: as many as are sampled from a video by default."""

# Seconds between photos from which they are no burst.
_LEAST_PAUSE = 0.2
# What cameras and phones call photos, and the share of a folder that must be called so.
_PHOTO_NAME = re.compile(
    r"(img|_?dsc[nf]?|_mg|mvimg|pxl|pict|cimg|hpim|imag|gopr|dji|photo|foto|whatsapp image|signal)[-_ ]?[0-9]"
    r"|(p[0-9a-c]|g)[0-9]{6}",
    re.IGNORECASE,
)
_PHOTO_NAMES = 0.8
# Neighbouring frames of a video, taken eight or thirty a second, are less unlike than this; photos are more.
_PHOTOS_UNLIKE, _COMPARED = 0.4, 6
# Numbers are counted in units of their greatest common divisor unless that makes the gaps this many times the images.
_MOST_GAPS = 30
# Tags of EXIF 2.32: when the picture was taken, and the fraction of that second.
_EXIF, _TAKEN, _FRACTION = 0x8769, 0x9003, 0x9291


@dataclass(frozen=True)
class ImageTimes:
    """Times of an ordered set of images.

    Attributes:
        seconds: Since the first image, ascending.
        rate: Images per second where none is missing.
        photos: Whether they are photos, of which the whole set is wanted rather than a stretch of it.
        notes: What was assumed, one sentence each.
    """

    seconds: list[float]
    rate: float
    photos: bool = False
    notes: tuple[str, ...] = ()


def image_times(
    images: Sequence[Path], rate: float | None, thumbnail: Callable[[Path], UInt8[np.ndarray, "h w 3"]]
) -> ImageTimes:
    """Decide what the images of a folder are, and when each was taken.

    Capture times decide where there are any, then names as cameras give them, then how little neighbours have in
    common. The rest are frames of a video, whose numbers are taken for times: where numbers are missing, so is time.

    Args:
        images: In order.
        rate: Images per second if the user said so: they then are frames of a video.
        thumbnail: Reads one of them (see `thumbnail_of`).

    Raises:
        ClipError: An image cannot be read.
    """
    if len(images) == 1:
        return ImageTimes([0.0], rate or VIDEO_RATE)
    if rate is not None:
        return _frames(images, rate, f"{rate:g} a second")
    pause = _mean_pause(images)
    if pause is not None and 0 < pause < _LEAST_PAUSE:
        return _frames(images, 1 / pause, f"{1 / pause:.1f} a second, as their capture times say")
    reason = _why_photos(images, pause, thumbnail)
    if reason is None:
        return _frames(images, VIDEO_RATE, f"{VIDEO_RATE:g} a second (--image-rate for another rate)")
    note = (
        f"{len(images)} photos ({reason}): sampled from all of them, as if taken {PHOTO_RATE:g} a second; "
        "give --image-rate if they are frames of a video"
    )
    return ImageTimes([i / PHOTO_RATE for i in range(len(images))], PHOTO_RATE, True, (note,))


def _frames(images: Sequence[Path], rate: float, said: str) -> ImageTimes:
    places, gap = _places(images)
    notes = [f"images taken for frames of a video, {said}"]
    if gap is not None:
        notes.append(f"numbers of images are missing ({gap}): times follow the numbers")
    return ImageTimes([place / rate for place in places], rate, notes=tuple(notes))


def _places(images: Sequence[Path]) -> tuple[list[float], str | None]:
    """Where each image stands in the count of frames, from 0, and the widest gap in words."""
    numbers = running_numbers(images)
    if numbers is None:
        return [float(i) for i in range(len(images))], None
    steps = [b - a for a, b in itertools.pairwise(numbers)]
    scale = math.lcm(*(step.denominator for step in steps))
    unit = Fraction(math.gcd(*(int(step * scale) for step in steps)), scale)
    if (numbers[-1] - numbers[0]) / unit > _MOST_GAPS * len(images):
        unit = sorted(steps)[len(steps) // 2]
    places = [float((number - numbers[0]) / unit) for number in numbers]
    widest = max(range(len(steps)), key=steps.__getitem__)
    missing = max(steps) > min(steps)
    return places, f"after {images[widest].name} comes {images[widest + 1].name}" if missing else None


def _why_photos(
    images: Sequence[Path], pause: float | None, thumbnail: Callable[[Path], UInt8[np.ndarray, "h w 3"]]
) -> str | None:
    """What shows that these are photos; None where they look like frames of a video."""
    if pause is not None and pause >= _LEAST_PAUSE:
        return f"taken {pause:.1f} s apart"
    if sum(_PHOTO_NAME.match(path.name) is not None for path in images) >= _PHOTO_NAMES * len(images):
        return f"named like {images[0].name}"
    places = np.unique(np.linspace(0, len(images) - 2, _COMPARED).round().astype(int))
    found = []
    with progress("telling frames from photos", len(places)) as steps:
        for i in places:
            found.append(unlikeness(thumbnail(images[i]), thumbnail(images[i + 1])))
            steps.advance()
    return "neighbours differ more than frames of a video" if float(np.median(found)) >= _PHOTOS_UNLIKE else None


def _mean_pause(images: Sequence[Path]) -> float | None:
    """Seconds between two images by the capture times of the first and the last; None where these are not known."""
    first, last = _taken(images[0]), _taken(images[-1])
    if first is None or last is None or last < first:
        return None
    return (last - first).total_seconds() / (len(images) - 1)


def _taken(path: Path) -> datetime | None:
    """When a photo was taken, as its EXIF data tells."""
    try:
        with warnings.catch_warnings(), Image.open(path) as image:
            warnings.simplefilter("ignore")
            # The base class's method: PNG's own decodes the whole image first.
            found = Image.Image.getexif(image).get_ifd(_EXIF)
        fraction = "".join(c for c in str(found.get(_FRACTION, "")) if c.isdigit())
        return datetime.strptime(f"{found[_TAKEN]}.{fraction or 0}"[:26], "%Y:%m:%d %H:%M:%S.%f")
    except (OSError, SyntaxError, ValueError, KeyError, TypeError, Image.DecompressionBombError):
        # Cameras write nonsense here at times; without it names and pictures decide.
        return None
