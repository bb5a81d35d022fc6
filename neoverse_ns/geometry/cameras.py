"""Pinhole cameras of a whole clip."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class PinholeCameras:
    """One pinhole camera per frame, all of one image size.

    Attributes:
        c2w: Camera-to-world, OpenCV axes (x right, y down, z forward).
        K: Intrinsics in pixels; pixel centres lie at +0.5.
        width: Image width in pixels.
        height: Image height in pixels.
    """

    c2w: Float[Tensor, "n 4 4"]
    K: Float[Tensor, "n 3 3"]
    width: int
    height: int

    def __repr__(self) -> str:
        return f"PinholeCameras({len(self)} of {self.width}x{self.height})"

    def __len__(self) -> int:
        return self.c2w.shape[0]

    @property
    def viewmats(self) -> Float[Tensor, "n 4 4"]:
        """World-to-camera matrices."""
        return torch.linalg.inv(self.c2w)

    def __getitem__(self, index: slice | Tensor | list[int]) -> PinholeCameras:
        return PinholeCameras(self.c2w[index], self.K[index], self.width, self.height)
