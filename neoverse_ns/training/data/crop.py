"""Frames of any size brought to a sample's, with the principal point in the middle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float32, Float64, Int64, UInt8
from PIL import Image
from torch import Tensor

from neoverse_ns.errors import ClipError

LEAST_MARGIN = 0.2
"""Share of a side that the principal point must keep from its ends."""
SPARSE = 0.1
"""What is known at a smaller share of a frame's pixels is sparse."""


@dataclass(frozen=True)
class Crop:
    """A part of a frame that becomes a sample's picture.

    Attributes:
        left: Where it begins, in pixels of the frame; whole numbers are edges of pixels.
        top: The same downward.
        scale: Pixels of the sample per pixel of the frame.
        height: Of the sample.
        width: Of the sample.
    """

    left: float
    top: float
    scale: float
    height: int
    width: int

    def K(self, K: Float64[Tensor, "3 3"]) -> Float64[Tensor, "3 3"]:
        """Intrinsics of the sample's picture, from those of the frame."""
        shift = torch.tensor(
            [[self.scale, 0, -self.left * self.scale], [0, self.scale, -self.top * self.scale], [0, 0, 1]],
            dtype=torch.float64,
        )
        return shift @ K.double()

    def colours(self, rgb: UInt8[Tensor, "fh fw 3"]) -> Float32[Tensor, "3 h w"]:
        """Resampled with Lanczos' filter, in [0, 1]."""
        height, width = rgb.shape[:2]
        box = (
            max(self.left, 0.0),
            max(self.top, 0.0),
            min(self.left + self.width / self.scale, float(width)),
            min(self.top + self.height / self.scale, float(height)),
        )
        picture = Image.fromarray(rgb.numpy()).resize((self.width, self.height), Image.Resampling.LANCZOS, box=box)
        return torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255

    def source_pixels(
        self, known: Bool[Tensor, "fh fw"]
    ) -> tuple[
        Int64[Tensor, "h w"],  # number of a pixel of the frame, row by row
        Bool[Tensor, "h w"],  # something is known there
    ]:
        """Which pixel of the frame each pixel of the sample takes its depth or motion from.

        It is the one into which the sample's pixel's centre falls. Where a frame knows something at few pixels only,
        as of lidar or tracks, that would lose most of them: there it is the known one that falls nearest to the centre.
        """
        height, width = known.shape
        if not 0 < int(known.sum()) < SPARSE * known.numel():
            rows = _fall_into(self.top, self.scale, self.height, height)
            columns = _fall_into(self.left, self.scale, self.width, width)
            nearest = rows[:, None] * width + columns
            return nearest, known.flatten()[nearest]
        row, column = known.nonzero().unbind(1)
        x = (column.double() + 0.5 - self.left) * self.scale
        y = (row.double() + 0.5 - self.top) * self.scale
        inside = (x >= 0) & (x < self.width) & (y >= 0) & (y < self.height)
        x, y, source = x[inside], y[inside], (row * width + column)[inside]
        pixel = y.long() * self.width + x.long()
        off = (x - x.floor() - 0.5).square() + (y - y.floor() - 0.5).square()
        least = torch.full((self.height * self.width,), torch.inf, dtype=off.dtype)
        least.scatter_reduce_(0, pixel, off, reduce="amin")
        front = off == least[pixel]
        chosen = torch.full((self.height * self.width,), height * width, dtype=torch.int64)
        chosen.scatter_reduce_(0, pixel[front], source[front], reduce="amin")
        hit = chosen < height * width
        size = (self.height, self.width)
        return torch.where(hit, chosen, 0).view(size), hit.view(size)


def crop_of(
    K: Float64[Tensor, "3 3"], frame: tuple[int, int], sample: tuple[int, int], enlargement: float = 1.0
) -> Crop:
    """The part that has the principal point in its middle, and as much of the frame as the sample's aspect allows.

    Args:
        K: Intrinsics of the frame.
        frame: Its height and width.
        sample: Height and width of the sample.
        enlargement: At least 1, by which the part is smaller still.

    Raises:
        ClipError: The principal point lies within a fifth of a side of its end, or focal lengths are not positive.
    """
    values = K.double()
    if not bool(torch.isfinite(values).all()) or not (values[0, 0] > 0 and values[1, 1] > 0):
        raise ClipError("intrinsics are not finite or have no positive focal length")
    margins = []
    for centre, side in ((values[1, 2].item(), frame[0]), (values[0, 2].item(), frame[1])):
        margin = min(centre, side - centre)
        if margin <= LEAST_MARGIN * side:
            raise ClipError(f"the principal point lies {margin:.0f} pixels from an edge of {frame[1]}x{frame[0]}")
        margins.append(margin)
    scale = enlargement * max(sample[0] / (2 * margins[0]), sample[1] / (2 * margins[1]))
    left = values[0, 2].item() - sample[1] / (2 * scale)
    top = values[1, 2].item() - sample[0] / (2 * scale)
    return Crop(left, top, scale, sample[0], sample[1])


def _fall_into(start: float, scale: float, count: int, most: int) -> Tensor:
    centres = start + (torch.arange(count, dtype=torch.float64) + 0.5) / scale
    return centres.floor().long().clamp(0, most - 1)
