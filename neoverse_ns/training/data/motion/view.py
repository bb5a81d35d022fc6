"""A frame's depth and camera, which every kind of motion starts from."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Float32, Float64
from torch import Tensor

from neoverse_ns.geometry.projection import project, unproject
from neoverse_ns.training.data.truth import FrameTruth


@dataclass(frozen=True)
class View:
    """What of a frame says where its surfaces are.

    Attributes:
        depth: z-depth, 0 where unknown.
        K: Intrinsics in pixels, pixel centres at +0.5.
        c2w: Camera to world, OpenCV axes.
    """

    depth: Float32[Tensor, "h w"]
    K: Float64[Tensor, "3 3"]
    c2w: Float64[Tensor, "4 4"]

    @staticmethod
    def of(frame: FrameTruth) -> View | None:
        """Of a frame whose depth and pose are known; None of others."""
        if frame.depth is None or frame.c2w is None:
            return None
        return View(frame.depth, frame.K, frame.c2w)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.depth.shape[0], self.depth.shape[1]

    @property
    def known(self) -> Bool[Tensor, "h w"]:
        """Depth is finite and before the camera."""
        return torch.isfinite(self.depth) & (self.depth > 0)

    @property
    def points(self) -> Float64[Tensor, "h w 3"]:
        """World points that the pixels' centres show; the camera's place where depth is unknown."""
        depth = torch.where(self.known, self.depth, 0).double()
        return unproject(depth, self.K.double(), self.c2w.double())

    def project(
        self, points: Float[Tensor, "*n 3"]
    ) -> tuple[
        Float64[Tensor, "*n 2"],  # image coordinates in pixels
        Float64[Tensor, "*n"],  # z-depth
    ]:
        """Where world points are seen; coordinates mean something only where z-depth is positive."""
        uv, z = project(points.reshape(-1, 3).double(), torch.linalg.inv(self.c2w.double()), self.K.double())
        return uv.reshape(*points.shape[:-1], 2), z.reshape(points.shape[:-1])

    def inside(self, uv: Float64[Tensor, "*n 2"]) -> Bool[Tensor, "*n"]:
        """Image coordinates lie on a pixel."""
        height, width = self.size
        x, y = uv.unbind(-1)
        return (x >= 0) & (x < width) & (y >= 0) & (y < height)
