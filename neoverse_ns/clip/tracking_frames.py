"""Frames of the source between the sampled ones: what moves is followed through them, and nothing else is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from jaxtyping import Float64, Int64, UInt8
from torch import Tensor


@dataclass(frozen=True)
class TrackingFrames:
    """Grey pictures between the sampled frames. Positions are read from them, never colours; none is ever evaluated.

    Attributes:
        grey: Luma at the clip's size, crop and straightening, made as that of the sampled frames is (RGB of the same
            conversion, then OpenCV's luma), so that both can be matched.
        seconds: Presentation time of every one in the source, like `Clip.seconds`, ascending.
        frame_indices: Position of every one in the source, ascending; none is that of a sampled frame.
    """

    grey: UInt8[Tensor, "m h w"]
    seconds: Float64[Tensor, " m"]
    frame_indices: Int64[Tensor, " m"]

    def __len__(self) -> int:
        return self.grey.shape[0]

    def part(self, frames: Sequence[int]) -> TrackingFrames:
        """Some of them alone, given by their positions in ascending order."""
        chosen = list(frames)
        return replace(
            self, grey=self.grey[chosen], seconds=self.seconds[chosen], frame_indices=self.frame_indices[chosen]
        )
