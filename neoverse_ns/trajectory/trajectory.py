"""`Trajectory`: where and when a new video looks at the scene."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Trajectory:
    """Cameras of the frames to be rendered.

    Attributes:
        c2w: Camera-to-world, OpenCV axes.
        times: Normalised time of the scene at every frame; 0 is the clip's first frame, 1 its last.
        zoom: Factor on the focal lengths of the first frame's camera, per frame.
    """

    c2w: Float[Tensor, "n 4 4"]
    times: Float[Tensor, " n"]
    zoom: Float[Tensor, " n"]

    def __len__(self) -> int:
        return self.c2w.shape[0]

    def intrinsics(self, K: Float[Tensor, "3 3"]) -> Float[Tensor, "n 3 3"]:
        """The camera matrix `K` zoomed for every frame about its principal point."""
        zoomed = K.expand(len(self), 3, 3).clone()
        zoomed[:, 0, 0] *= self.zoom.to(K)
        zoomed[:, 1, 1] *= self.zoom.to(K)
        return zoomed


def spread_times(count: int) -> Float[Tensor, " {count}"]:
    """Normalised times that play the whole clip once: evenly from 0 to 1."""
    return torch.linspace(0, 1, count, dtype=torch.float64)
