"""Frames from a folder of images in natural order, or from a single image."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from neoverse_ns.clip.focal.agreement import photos_focal
from neoverse_ns.clip.focal.hint import SourceFocal
from neoverse_ns.clip.image_file import IMAGE_SUFFIXES, image_size, read_image
from neoverse_ns.clip.source import THUMBNAIL_SIZE, FrameSource, SeenFrame, thumbnail_of
from neoverse_ns.clip.view.glimpse import GLIMPSE_LEAST, GLIMPSES, Glimpse, reduced
from neoverse_ns.clip.view.stated import stated_photo_layout
from neoverse_ns.errors import ClipError


@dataclass
class ImageSource(FrameSource):
    """Images shown one after the other at a fixed rate.

    Attributes:
        images: Files in order.
        rate: Images per second.
    """

    images: Sequence[Path] = ()
    rate: float = 30.0

    def length(self) -> float | None:
        return len(self.images) / self.rate

    def count(self) -> int | None:
        return len(self.images)

    def look(self, start: float, end: float) -> Iterator[SeenFrame | None]:
        size = _common_size(self.images)
        for index, path in enumerate(self.images):
            seconds = index / self.rate
            if seconds > end + 1e-6:
                return
            self.reached = (index + 1) / self.rate
            if seconds < start - 1e-6:
                yield None
                continue
            if len(self.images) == 1:
                # Nothing to compare it with, and it may be huge: decode it once only.
                thumbnail = np.zeros((*THUMBNAIL_SIZE[::-1], 3), np.uint8)
            else:
                thumbnail = thumbnail_of(read_image(path, THUMBNAIL_SIZE))
            yield SeenFrame(index, seconds, size, thumbnail)

    def read(self, frames: Sequence[SeenFrame], least: tuple[int, int]) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        for frame in frames:
            yield read_image(self.images[frame.index], least)

    def glimpse(self, start: float, end: float) -> Glimpse:
        first = min(max(math.ceil(start * self.rate - 1e-6), 0), len(self.images) - 1)
        last = min(math.floor(min(end, 1e9) * self.rate + 1e-6), len(self.images) - 1)
        places = np.unique(np.linspace(first, max(last, first), GLIMPSES).round().astype(int))
        try:
            size = image_size(self.images[first])
            seen = [reduced(read_image(self.images[place], GLIMPSE_LEAST)) for place in places]
        except ClipError:
            return Glimpse()
        images = [image for image in seen if abs(image.shape[1] / image.shape[0] * size[1] / size[0] - 1) < 0.02]
        return Glimpse(size, images, stated_photo_layout(self.images[first]))

    def focal(self, frames: Sequence[SeenFrame], notes: list[str]) -> SourceFocal | None:
        return photos_focal([self.images[frame.index] for frame in frames], notes)


def images_in(folder: Path) -> list[Path]:
    """Image files directly inside `folder`, hidden ones left out, numbers in names compared as numbers.

    Raises:
        ClipError: There are none, or the folder cannot be listed.
    """
    try:
        entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    except OSError as error:
        raise ClipError(f"{folder}: cannot be listed ({error.strerror})") from error
    images = [entry for entry in entries if entry.suffix.lower() in IMAGE_SUFFIXES and entry.is_file()]
    if not images:
        inside = sorted(entry.name + ("/" if entry.is_dir() else "") for entry in entries)
        listed = f"it holds {', '.join(inside[:5])}{', ...' if len(inside) > 5 else ''}" if inside else "it is empty"
        raise ClipError(f"{folder}: no images (png, jpg, webp, bmp, tif) in this folder; {listed}")
    return sorted(images, key=_natural)


def _natural(path: Path) -> tuple[list[tuple[str, int]], str]:
    """Sort key under which frame_9 precedes frame_10; the plain name decides between 01 and 1."""
    # Text and numbers alternate, so that the same places of two names always hold the same kind.
    parts = re.split(r"([0-9]+)", path.name.lower())
    return [("", int(part)) if place % 2 else (part, 0) for place, part in enumerate(parts)], path.name


def _common_size(images: Sequence[Path]) -> tuple[int, int]:
    """Upright size of all images.

    Raises:
        ClipError: Two differ; names both.
    """
    first = image_size(images[0])
    for path in images[1:]:
        size = image_size(path)
        if size != first:
            raise ClipError(
                f"{images[0].parent}: images differ in size: {images[0].name} is {first[0]}x{first[1]}, "
                f"{path.name} is {size[0]}x{size[1]}; keep images of one camera only"
            )
    return first
