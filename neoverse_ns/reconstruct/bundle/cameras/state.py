"""What bundle adjustment solves for."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import se3_inverse
from neoverse_ns.reconstruct.bundle.cameras.observations import Observations


@dataclass(frozen=True)
class State:
    """What is solved for.

    Attributes:
        poses: World-to-camera.
        inverse_depth: Of every grid point of every frame.
        focal: Focal length over width of every frame.
        radial: Coefficient of :mod:`neoverse_ns.geometry.radial_lens`, the same in all frames.
        lens: Intrinsics that were given, of every frame, over the width and with the image's middle as origin; None
            where `focal` says everything, with the principal point in the middle.
    """

    poses: Float[Tensor, "n 4 4"]
    inverse_depth: Float[Tensor, "n p"]
    focal: Float[Tensor, " n"]
    radial: Float[Tensor, ""] = field(default_factory=lambda: torch.zeros((), dtype=torch.float64))
    lens: Float[Tensor, "n 3 3"] | None = None

    @property
    def mean_focal(self) -> float:
        """Geometric mean of the frames' focal lengths over width."""
        return float(self.focal.log().mean().exp())

    def common_lens(self) -> tuple[float, Float[Tensor, "n 4 4"]]:
        """One focal length over width, and poses that show with it what each frame sees with its own.

        Frames with other focal lengths are stretched across their axis. Points keep their z-depth; the poses are no
        longer rigid. Where all frames share a focal length these are the poses themselves. Given principal points and
        focal lengths of both axes are taken up by the poses in the same way.
        """
        if self.lens is not None:
            focal = self.mean_focal
            stretch = torch.eye(4, dtype=self.poses.dtype).repeat(len(self.poses), 1, 1)
            stretch[:, :3, :3] = self.lens / self.lens.new_tensor([focal, focal, 1.0])[:, None]
            return focal, stretch @ self.poses
        if bool((self.focal == self.focal[0]).all()):
            return float(self.focal[0]), self.poses
        focal = self.mean_focal
        stretch = torch.eye(4, dtype=self.poses.dtype).repeat(len(self.poses), 1, 1)
        stretch[:, 0, 0] = stretch[:, 1, 1] = self.focal / focal
        return focal, stretch @ self.poses


@dataclass(frozen=True)
class LensUnknowns:
    """Which parameters of the lens are solved for; each edge knows them as columns of its Jacobian.

    Attributes:
        zoom: Whether every frame has a focal length of its own, with two columns (source, target) in place of one.
        radial: Whether the coefficient is solved for, in the last column.
    """

    zoom: bool = False
    radial: bool = False

    @property
    def columns(self) -> int:
        return 1 + self.zoom + self.radial

    def count(self, frames: int) -> int:
        """Unknowns of the lens: one or `frames` focal lengths, then the coefficient."""
        return (frames if self.zoom else 1) + self.radial

    def index(self, observations: Observations) -> Int64[Tensor, "e l"]:
        """Which unknown of the whole system each column of each edge belongs to."""
        first = 6 * observations.frames
        if self.zoom:
            parts = [first + observations.source, first + observations.target]
        else:
            parts = [torch.full_like(observations.source, first)]
        if self.radial:
            parts.append(torch.full_like(observations.source, first + self.count(observations.frames) - 1))
        return torch.stack(parts, 1)


def to_cameras(state: State, height: int, width: int, unit: float) -> PinholeCameras:
    """Cameras in pixels, the first one at the origin, the world scaled so that `unit` becomes 1."""
    c2w = state.poses[0] @ se3_inverse(state.poses)
    c2w[:, :3, 3] /= unit
    c2w = c2w.to(torch.float32)
    c2w[0] = torch.eye(4)
    K = torch.zeros(len(c2w), 3, 3)
    K[:, 0, 0] = K[:, 1, 1] = (state.focal * width).float()
    K[:, 0, 2], K[:, 1, 2], K[:, 2, 2] = width / 2, height / 2, 1
    if state.lens is not None:
        K[:, :2] = (state.lens[:, :2] * width).float()
        K[:, 0, 2] += width / 2
        K[:, 1, 2] += height / 2
    return PinholeCameras(c2w, K, width, height)
