"""What following points gives."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from neoverse_ns.applications.track.queries import Queries
from neoverse_ns.geometry.cameras import PinholeCameras


@dataclass(frozen=True)
class Tracks:
    """Points in every frame of a clip.

    Attributes:
        queries: The points as they were given.
        uv: Places in pixels of the scene's pictures (pixel centres at +0.5), hidden or not; they may lie outside.
        world: Places in the scene's world.
        visible: Where the picture shows them.
        moving: Points of things that move on their own.
        cameras: One per frame.
        seconds: Time of every frame in the source.
    """

    queries: Queries
    uv: Float[Tensor, "n p 2"]
    world: Float[Tensor, "n p 3"]
    visible: Bool[Tensor, "n p"]
    moving: Bool[Tensor, " p"]
    cameras: PinholeCameras
    seconds: Float64[Tensor, " n"]

    @property
    def in_cameras(self) -> Float[Tensor, "n p 3"]:
        """Places in the axes of each frame's own camera (x right, y down, z forward), world units."""
        w2c = self.cameras.viewmats.to(self.world)
        return torch.einsum("nij,npj->npi", w2c[:, :3, :3], self.world) + w2c[:, None, :3, 3]
