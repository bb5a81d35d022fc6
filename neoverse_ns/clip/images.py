"""Frames from a folder of images in natural order, or from a single image."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Bool, UInt8

from neoverse_ns.clip.changes import ChangeMeter
from neoverse_ns.clip.companions import sort_images
from neoverse_ns.clip.focal.agreement import photos_focal
from neoverse_ns.clip.focal.hint import SourceFocal
from neoverse_ns.clip.folders import why_no_images
from neoverse_ns.clip.formats import is_readable_image
from neoverse_ns.clip.image_file import image_size
from neoverse_ns.clip.image_order import in_order
from neoverse_ns.clip.image_reader import ImageReader
from neoverse_ns.clip.image_times import ImageTimes, image_times
from neoverse_ns.clip.source import PICTURE_SIZE, THUMBNAIL_SIZE, FrameSource, SeenFrame, picture_of, thumbnail_of
from neoverse_ns.clip.view.glimpse import GLIMPSE_LEAST, GLIMPSES, Glimpse, reduced
from neoverse_ns.clip.view.photo_sphere import stated_photo_layout
from neoverse_ns.errors import ClipError


@dataclass
class ImageSource(FrameSource):
    """Images shown one after the other.

    Attributes:
        images: Files in order.
        rate: Images per second if that is known; None decides by what they look like (see `image_times`).
        reader: Reads them all alike, and their masks.
    """

    images: Sequence[Path] = ()
    rate: float | None = None
    reader: ImageReader = field(default_factory=ImageReader)

    @cached_property
    def prepared(self) -> list[str]:
        """Sentences on how the images are read; from then on the reader knows what their numbers mean."""
        return self.reader.prepare(self.images)

    @cached_property
    def times(self) -> ImageTimes:
        """When each image was taken."""
        return image_times(self.images, self.rate, lambda path: thumbnail_of(self._colours(path, THUMBNAIL_SIZE)))

    def length(self) -> float | None:
        return self.times.seconds[-1] + 1 / self.times.rate

    def taken_whole(self) -> bool:
        return self.times.photos

    def count(self) -> int | None:
        return len(self.images)

    def look(self, start: float, end: float) -> Iterator[SeenFrame | None]:
        size, changes = _common_size(self.images), ChangeMeter()
        self.notes.extend([*self.prepared, *self.times.notes])
        for index, (path, seconds) in enumerate(zip(self.images, self.times.seconds, strict=True)):
            if seconds > end + 1e-6:
                return
            self.reached = seconds + 1 / self.times.rate
            if seconds < start - 1e-6:
                yield None
                continue
            if len(self.images) == 1:
                # Nothing to compare it with, and it may be huge: decode it once only.
                yield SeenFrame(index, seconds, size, np.zeros((*THUMBNAIL_SIZE[::-1], 3), np.uint8))
                return
            image = self._colours(path, PICTURE_SIZE)
            change, picture = changes.measure(picture_of(image), seconds)
            yield SeenFrame(index, seconds, size, thumbnail_of(image), None, change, picture)

    def _colours(self, path: Path, least: tuple[int, int]) -> UInt8[np.ndarray, "h w 3"]:
        """One image without its cover, read as all are."""
        assert self.prepared is not None
        return self.reader.read(path, least)[..., :3]

    def read(
        self, frames: Sequence[SeenFrame], least: tuple[int, int], rough: Collection[int] = ()
    ) -> Iterator[UInt8[np.ndarray, "h w c"]]:
        for frame in frames:
            yield self.reader.read(self.images[frame.index], least)

    def ignored(self, frame: SeenFrame) -> Bool[np.ndarray, "h w"] | None:
        return self.reader.ignored(self.images[frame.index])

    def glimpse(self, start: float, end: float) -> Glimpse:
        try:
            inside = [i for i, second in enumerate(self.times.seconds) if start - 1e-6 <= second <= end + 1e-6] or [0]
            places = np.unique(np.linspace(0, len(inside) - 1, GLIMPSES).round().astype(int))
            chosen = [self.images[inside[place]] for place in places]
            size = image_size(chosen[0])
            seen = [reduced(self._colours(path, GLIMPSE_LEAST)) for path in chosen]
        except ClipError:
            return Glimpse()  # What is wrong with an image is said where all of them are looked at.
        images = [image for image in seen if abs(image.shape[1] / image.shape[0] * size[1] / size[0] - 1) < 0.02]
        return Glimpse(size, images, stated_photo_layout(chosen[0]))

    def focal(self, frames: Sequence[SeenFrame], notes: list[str]) -> SourceFocal | None:
        return photos_focal([self.images[frame.index] for frame in frames], notes)


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
    return in_order(sort_images(images).frames)


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
