"""Frames from a folder of images in natural order, or from a single image."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Bool, UInt8

from neoverse_ns.clip.companions import sort_images
from neoverse_ns.clip.folders import why_no_images
from neoverse_ns.clip.formats import is_readable_image
from neoverse_ns.clip.image_file import image_size
from neoverse_ns.clip.image_reader import ImageReader
from neoverse_ns.clip.source import THUMBNAIL_SIZE, FrameSource, SeenFrame, thumbnail_of
from neoverse_ns.errors import ClipError


@dataclass
class ImageSource(FrameSource):
    """Images shown one after the other at a fixed rate.

    Attributes:
        images: Files in order.
        rate: Images per second.
        reader: Reads them all alike, and their masks.
    """

    images: Sequence[Path] = ()
    rate: float = 30.0
    reader: ImageReader = field(default_factory=ImageReader)

    def length(self) -> float | None:
        return len(self.images) / self.rate

    def count(self) -> int | None:
        return len(self.images)

    def look(self, start: float, end: float) -> Iterator[SeenFrame | None]:
        size = _common_size(self.images)
        self.notes.extend(self.reader.prepare(self.images))
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
                thumbnail = thumbnail_of(self.reader.read(path, THUMBNAIL_SIZE)[..., :3])
            yield SeenFrame(index, seconds, size, thumbnail)

    def read(self, frames: Sequence[SeenFrame], least: tuple[int, int]) -> Iterator[UInt8[np.ndarray, "h w c"]]:
        for frame in frames:
            yield self.reader.read(self.images[frame.index], least)

    def ignored(self, frame: SeenFrame) -> Bool[np.ndarray, "h w"] | None:
        return self.reader.ignored(self.images[frame.index])


def images_in(folder: Path) -> list[Path]:
    """Frames directly inside `folder`, without hidden files and what lies beside frames; numbers compared as numbers.

    Raises:
        ClipError: There are none, or the folder cannot be listed.
    """
    try:
        entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    except OSError as error:
        raise ClipError(f"{folder}: cannot be listed ({error.strerror})") from error
    images = [entry for entry in entries if is_readable_image(entry)]
    if not images:
        raise ClipError(f"{folder}: {why_no_images(folder)}")
    return sorted(sort_images(images).frames, key=_natural)


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
