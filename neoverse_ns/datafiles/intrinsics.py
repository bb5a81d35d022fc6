"""Intrinsics as files have them, with pixel centres at +0.5."""

from __future__ import annotations

import torch
from jaxtyping import Float64
from torch import Tensor

_SAME = 1e-3


def pinhole(fx: float, fy: float, cx: float, cy: float, size: tuple[int, int] | None = None) -> Float64[Tensor, "3 3"]:
    """Intrinsics in pixels.

    Files seldom say whether a pixel's centre is at a whole number or at +0.5. Where the principal point is the middle
    of the picture by the former, ((W - 1) / 2, (H - 1) / 2), the file has shown that it means it, and half a pixel is
    added; other numbers stay.

    Args:
        fx: Focal length across.
        fy: Focal length down.
        cx: Principal point.
        cy: Principal point.
        size: Width and height of the picture; None says that pixel centres are at +0.5.
    """
    if size is not None and abs(cx - (size[0] - 1) / 2) < _SAME and abs(cy - (size[1] - 1) / 2) < _SAME:
        cx, cy = cx + 0.5, cy + 0.5
    return torch.tensor([[fx, 0, cx], [0, fy, cy], [0, 0, 1]], dtype=torch.float64)


def scaled(K: Float64[Tensor, "3 3"], size: tuple[int, int], to: tuple[int, int]) -> Float64[Tensor, "3 3"]:
    """Intrinsics of a picture of width and height `size`, for the same picture at another size."""
    factors = torch.tensor([to[0] / size[0], to[1] / size[1], 1], dtype=torch.float64)
    return factors[:, None] * K
