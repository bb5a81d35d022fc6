"""A source whose frames are views cut from another source's pictures."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, UInt8

from neoverse_ns.clip.focal.hint import SourceFocal
from neoverse_ns.clip.source import FrameSource, SeenFrame, picture_of, thumbnail_of
from neoverse_ns.clip.view.cut import Cut

# The direction of every pixel of a view that is cut from a sphere is known; this leaves room for rounding.
_EXACT = 0.002


@dataclass
class ViewSource(FrameSource):
    """Everything after it sees the view alone: sizes, thumbnails and frames.

    Attributes:
        whole: Where the pictures come from; its notes are shared.
        cut: Which view of them is used.
    """

    whole: FrameSource | None = None
    cut: Cut | None = None
    _seen: dict[int, SeenFrame] = field(default_factory=dict, repr=False)

    @property
    def _parts(self) -> tuple[FrameSource, Cut]:
        assert self.whole is not None
        assert self.cut is not None
        return self.whole, self.cut

    def length(self) -> float | None:
        return self._parts[0].length()

    def count(self) -> int | None:
        return self._parts[0].count()

    def taken_whole(self) -> bool:
        return self._parts[0].taken_whole()

    def look(self, start: float, end: float) -> Iterator[SeenFrame | None]:
        whole, cut = self._parts
        self._seen.clear()
        for frame in whole.look(start, end):
            self.reached = whole.reached
            if frame is None:
                yield None
                continue
            # The source finds its frames again by what it saw itself.
            self._seen[frame.index] = frame
            thumbnail = thumbnail_of(np.ascontiguousarray(cut.apply(frame.thumbnail)))
            picture = None if frame.picture is None else picture_of(cut.apply(_rgb(frame.picture)))
            yield dataclasses.replace(frame, size=cut.size(frame.size), thumbnail=thumbnail, picture=picture)
        self.reached = whole.reached

    def read(
        self, frames: Sequence[SeenFrame], least: tuple[int, int], rough: Collection[int] = ()
    ) -> Iterator[UInt8[np.ndarray, "h w c"]]:
        whole, cut = self._parts
        seen = [self._seen[frame.index] for frame in frames]
        for image in whole.read(seen, cut.least(least, seen[0].size), rough):
            yield np.ascontiguousarray(cut.apply(image))

    def ignored(self, frame: SeenFrame) -> Bool[np.ndarray, "h w"] | None:
        whole, cut = self._parts
        mask = whole.ignored(self._seen[frame.index])
        return None if mask is None else cut.apply(_rgb(mask.astype(np.uint8) * 255))[..., 0] > 127

    def focal(self, frames: Sequence[SeenFrame], notes: list[str]) -> SourceFocal | None:
        """That of the cut; what metadata says is about the whole picture, and no help for a half of it."""
        _, cut = self._parts
        pixels = cut.focal(self._seen[frames[0].index].size)
        return None if pixels is None else SourceFocal(pixels, _EXACT, "the view that was cut from the sphere")


def _rgb(gray: UInt8[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 3"]:
    return np.ascontiguousarray(gray[..., None].repeat(3, axis=-1))
