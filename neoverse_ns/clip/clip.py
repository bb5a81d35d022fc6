"""The `Clip`: sampled, resized frames of one shot with their place in the source."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor
from torch.nn import functional

from neoverse_ns.clip.focal.hint import FocalHint
from neoverse_ns.clip.tracking_frames import TrackingFrames


@dataclass(frozen=True)
class Clip:
    """Frames of one continuous shot, decoded, turned upright, sampled and resized once.

    Attributes:
        frames: RGB in [0, 255].
        frame_indices: Position of every frame in the source (0-based, strictly ascending).
        seconds: Presentation time of every frame in the source, from its first frame.
        source: The file or folder the frames came from.
        notes: What was decided while loading, one sentence each (shot chosen, duration cut, ...).
        source_size: Upright width and height of the source's frames in square pixels, where known. The frames are what
            `crop` leaves of them, scaled evenly by `source_scale` and cut at the borders by the same amount on opposite
            sides.
        ignored: Pixels that are known to be no part of the world, whatever is found later: transparent ones, and those
            of a mask that the user gave. None where there are none.
        crop: Column and row of the upper left corner, width and height, in the source's upright square pixels, of the
            part that is used; None is all of it. Its middle is taken for the lens's axis.
        focal_hint: Focal length that the source's metadata, or cutting a view, tells; None where neither does.
        tracking: Frames of the source between these, where they were asked for and there are any. They are no part of
            what the clip is: neither saved with it nor in its digest.
    """

    frames: UInt8[Tensor, "n h w 3"]
    frame_indices: Int64[Tensor, " n"]
    seconds: Float[Tensor, " n"]
    source: Path
    notes: tuple[str, ...] = field(default=())
    source_size: tuple[int, int] | None = None
    ignored: Bool[Tensor, "n h w"] | None = None
    crop: tuple[int, int, int, int] | None = None
    focal_hint: FocalHint | None = None
    tracking: TrackingFrames | None = None

    def __repr__(self) -> str:
        length = float(self.seconds[-1] - self.seconds[0]) if len(self) else 0.0
        return f"Clip({self.source.name}: {len(self)} frames of {self.width}x{self.height}, {length:.2f} s)"

    def __len__(self) -> int:
        return self.frames.shape[0]

    @property
    def height(self) -> int:
        return self.frames.shape[1]

    @property
    def width(self) -> int:
        return self.frames.shape[2]

    @property
    def num_tracking(self) -> int:
        """Number of tracking frames."""
        return 0 if self.tracking is None else len(self.tracking)

    @property
    def source_scale(self) -> float:
        """Pixels here per pixel of the source: turns a focal length there into one here (1 where unknown)."""
        if self.source_size is None:
            return 1.0
        width, height = self.source_size if self.crop is None else self.crop[2:]
        return max(self.width / width, self.height / height)

    @property
    def times(self) -> Float[Tensor, " n"]:
        """Normalised times: 0 at the first sampled frame, 1 at the last (float32; all zero for a single frame)."""
        span = self.seconds[-1] - self.seconds[0]
        if span <= 0:
            return torch.zeros(len(self), dtype=torch.float32)
        return ((self.seconds - self.seconds[0]) / span).to(torch.float32)

    @property
    def images(self) -> Float[Tensor, "n h w 3"]:
        """RGB in [0, 1], float32. Makes a copy four times the size of `frames`."""
        return self.frames.to(torch.float32) / 255

    def part(self, frames: Sequence[int]) -> Clip:
        """The same clip with some of its frames only, given by their positions in ascending order.

        Tracking frames stay as they are: the others of the source between these are no less between these.
        """
        chosen = list(frames)
        return replace(
            self,
            frames=self.frames[chosen],
            frame_indices=self.frame_indices[chosen],
            seconds=self.seconds[chosen],
            ignored=None if self.ignored is None else self.ignored[chosen],
        )

    def world(self, frame: int, size: tuple[int, int] | None = None) -> Bool[Tensor, "h w"] | None:
        """Pixels of a frame that show the world; None where all do.

        Args:
            frame: Position among the sampled frames.
            size: Height and width to bring them to, where these are others; a pixel that is partly ignored is out.
        """
        if self.ignored is None:
            return None
        mask = self.ignored[frame]
        if size is None or size == tuple(mask.shape):
            return ~mask
        return functional.interpolate(mask[None, None].float(), size, mode="area")[0, 0] == 0

    def digest(self) -> str:
        """Hex SHA-256 of the pixels, times and ignored pixels: equal for equal content, wherever the source lies."""
        value = hashlib.sha256(repr(tuple(self.frames.shape)).encode())
        value.update(self.frames.contiguous().numpy().tobytes())
        value.update(self.seconds.to(torch.float64).contiguous().numpy().tobytes())
        if self.ignored is not None:
            value.update(self.ignored.contiguous().numpy().tobytes())
        return value.hexdigest()
