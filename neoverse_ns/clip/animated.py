"""Animated pictures that FFmpeg does not decode (WebP, AVIF), through Pillow: frames with their own times."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from neoverse_ns.clip.image_file import on_ground_srgb, opened_image
from neoverse_ns.clip.profiles import profile_note
from neoverse_ns.clip.source import FrameSource, SeenFrame, thumbnail_of
from neoverse_ns.errors import ClipError

# Browsers show a frame that asks for no more than the first for the second, in milliseconds.
_NO_TIME, _USUAL = 10, 100


@dataclass
class AnimationSource(FrameSource):
    """One file with several pictures and the time each is shown."""

    def length(self) -> float | None:
        # Pillow tells durations only by decoding, and a look needs no more than a guess.
        return None

    def count(self) -> int | None:
        with opened_image(self.path) as image:
            return getattr(image, "n_frames", 1)

    def look(self, start: float, end: float) -> Iterator[SeenFrame | None]:
        seconds = 0.0
        for index, image in self._pictures():
            if index == 0 and (note := profile_note(image)) is not None:
                self.notes.append(note)
            if seconds > end + 1e-6:
                return
            duration = image.info.get("duration") or 0
            shown = (duration if duration > _NO_TIME else _USUAL) / 1000
            self.reached = seconds + shown
            if seconds < start - 1e-6:
                yield None
            else:
                yield SeenFrame(index, seconds, image.size, thumbnail_of(on_ground_srgb(image)[..., :3]))
            seconds += shown

    def read(
        self, frames: Sequence[SeenFrame], least: tuple[int, int], rough: Collection[int] = ()
    ) -> Iterator[UInt8[np.ndarray, "h w c"]]:
        wanted = {frame.index for frame in frames}
        for index, image in self._pictures():
            if index in wanted:
                wanted.remove(index)
                yield on_ground_srgb(image)
            if not wanted:
                return
        raise ClipError(f"{self.path}: {len(wanted)} frames could not be decoded again; did the file change meanwhile?")

    def _pictures(self) -> Iterator[tuple[int, Image.Image]]:
        with opened_image(self.path) as image:
            assert isinstance(image, Image.Image)
            for index in range(getattr(image, "n_frames", 1)):
                image.seek(index)
                image.load()
                yield index, image
