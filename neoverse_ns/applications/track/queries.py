"""Which points to follow: places in frames."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from neoverse_ns.errors import SettingsError


@dataclass(frozen=True)
class Queries:
    """Points, each given by its place in one frame.

    Attributes:
        xy: Column and row in pixels of the scene's pictures; pixel centres lie at +0.5.
        frame: Position of the frame among the sampled ones.
    """

    xy: Float[Tensor, "p 2"]
    frame: Int64[Tensor, " p"]

    def __len__(self) -> int:
        return len(self.frame)

    def checked(self, num_frames: int, width: int, height: int) -> Queries:
        """The same points, which all lie in a picture.

        Raises:
            SettingsError: There are none, or one lies outside; the message names it.
        """
        if not len(self):
            raise SettingsError("there is no point to follow")
        x, y = self.xy.unbind(-1)
        # Written such that NaN is outside, too.
        outside = ~((x >= 0) & (x <= width) & (y >= 0) & (y <= height))
        late = (self.frame < 0) | (self.frame >= num_frames)
        if bool(outside.any()):
            a, b = self.xy[outside][0].tolist()
            raise SettingsError(
                f"the point {a:g},{b:g} lies outside the pictures, which are {width}x{height}"
                + (f" (and {int(outside.sum()) - 1} more)" if int(outside.sum()) > 1 else "")
            )
        if bool(late.any()):
            raise SettingsError(f"there is no frame {int(self.frame[late][0])}: the clip's are 0 to {num_frames - 1}")
        return self


def grid(columns: int, frame: int, width: int, height: int, mask: Bool[Tensor, "h w"] | None = None) -> Queries:
    """Evenly spaced points of one frame, as far apart down as across.

    Args:
        columns: Points in a row, at most one a pixel.
        frame: Position of the frame.
        width: Of the picture.
        height: Of the picture.
        mask: Only points within; None takes all.

    Raises:
        SettingsError: There is less than one column, or more than pixels across, or no point within the mask.
    """
    if columns < 1:
        raise SettingsError(f"a grid needs at least one column, got {columns}")
    if columns > width:
        raise SettingsError(f"a grid can have at most a point a pixel, {width} in a row, got {columns}")
    step = width / columns
    rows = max(round(height / step), 1)
    x = (torch.arange(columns) + 0.5) * step
    y = (torch.arange(rows) + 0.5) * (height / rows)
    xy = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1).reshape(-1, 2)
    if mask is not None:
        column, row = xy.long().unbind(-1)
        xy = xy[mask[row, column]]
        if not len(xy):
            share = float(mask.float().mean())
            raise SettingsError(
                f"no point of the grid lies within the mask, which covers {100 * share:.2g} % of frame {frame}: "
                f"give more than {columns} columns, or another frame"
            )
    return Queries(xy, torch.full((len(xy),), frame))
