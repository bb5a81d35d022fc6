"""What a source of frames (video file, image folder) offers: a cheap look at every frame, then chosen ones in full."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from neoverse_ns.clip.focal.hint import SourceFocal
from neoverse_ns.clip.view.glimpse import Glimpse

#: Width and height of thumbnails: small enough to keep thousands, large enough to tell shots apart.
THUMBNAIL_SIZE = (48, 32)
#: Width and height of pictures: large enough to tell what moved by a tenth of a pixel, and to recognise things.
PICTURE_SIZE = (256, 144)


@dataclass(frozen=True)
class SeenFrame:
    """One frame as the first look saw it.

    Attributes:
        index: Position in the source in presentation order, 0-based.
        seconds: Time since the source's first frame.
        size: Upright width and height in square pixels.
        thumbnail: The whole frame squeezed to `THUMBNAIL_SIZE`, RGB.
        stamp: The container's time stamp where it can be used to find the frame again.
        change: Grey levels by which the most changed part of the picture differs from the frame before (see
            `clip.changes`); infinite where nothing was seen before it.
        picture: Grey picture of a few frames a second, fine enough to recognise things in; None for the others.
    """

    index: int
    seconds: float
    size: tuple[int, int]
    thumbnail: UInt8[np.ndarray, "h w 3"]
    stamp: int | None = None
    change: float = math.inf
    picture: UInt8[np.ndarray, "ph pw"] | None = None


@dataclass
class FrameSource(ABC):
    """A video or an ordered set of images on disk.

    Attributes:
        path: The file or folder.
        notes: What had to be decided or was found wrong while reading, one sentence each.
        reached: Seconds at which the last frame that the latest look passed ends.
    """

    path: Path
    notes: list[str] = field(default_factory=list)
    reached: float = 0.0

    @abstractmethod
    def length(self) -> float | None:
        """Seconds from the first frame to the end of the last as the file declares it; None where it does not."""

    @abstractmethod
    def count(self) -> int | None:
        """Number of frames as the file declares it; None where it does not."""

    def taken_whole(self) -> bool:
        """Whether frames are to be sampled from all of it unless a duration is asked for, as from a set of photos."""
        return False

    @abstractmethod
    def look(self, start: float, end: float) -> Iterator[SeenFrame | None]:
        """Yield every frame whose seconds lie in [start, end] in order, and None for each one skipped before.

        Raises:
            ClipError: Nothing can be read, or an image is broken.
        """

    @abstractmethod
    def read(
        self, frames: Sequence[SeenFrame], least: tuple[int, int], rough: Collection[int] = ()
    ) -> Iterator[UInt8[np.ndarray, "h w c"]]:
        """Yield the upright pixels of `frames`, which are in ascending order: RGB, and cover where some is transparent.

        Args:
            frames: Some of what :meth:`look` gave.
            least: Width and height that will be needed; larger images may arrive reduced, never below this.
            rough: `SeenFrame.index` of those whose shapes matter and whose colours hardly do: they may arrive reduced
                further.

        Raises:
            ClipError: A frame cannot be read again.
        """

    def ignored(self, frame: SeenFrame) -> Bool[np.ndarray, "h w"] | None:
        """What a mask given with this frame says is no part of the world, in any size; None where there is no mask."""
        return None

    def glimpse(self, start: float, end: float) -> Glimpse:
        """A few pictures with seconds in [start, end], quickly; none where nothing can be read."""
        return Glimpse()

    def focal(self, frames: Sequence[SeenFrame], notes: list[str]) -> SourceFocal | None:
        """Focal length of `frames`, all of one size, where the files state one.

        Args:
            frames: Some of what :meth:`look` gave.
            notes: Told of what keeps a statement from being used.
        """
        return None


def thumbnail_of(image: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "th tw 3"]:
    """Area-average a frame to `THUMBNAIL_SIZE`."""
    return cv2.resize(image, THUMBNAIL_SIZE, interpolation=cv2.INTER_AREA)


def picture_of(image: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "ph pw"]:
    """Area-average a frame to `PICTURE_SIZE`, grey."""
    return cv2.cvtColor(cv2.resize(image, PICTURE_SIZE, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
