"""Cameras that the user knows, as bundle adjustment counts: nothing of them is solved for."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.se3 import se3_inverse
from neoverse_ns.reconstruct.priors.load import ClipPriors


@dataclass(frozen=True)
class GivenCameras:
    """Known cameras of all frames of a clip.

    Attributes:
        poses: World-to-camera in the world of the first camera, in the given unit.
        first: World-to-camera of the first camera in the given world.
        lens: Intrinsics over the clip's width, the image's middle as origin; None where they are not known.
    """

    poses: Float64[Tensor, "n 4 4"]
    first: Float64[Tensor, "4 4"]
    lens: Float64[Tensor, "n 3 3"] | None

    def world(self, scale: float) -> Sim3:
        """The map from the given world to the first camera's, whose unit is 1 / `scale` given ones."""
        return Sim3(self.first.new_tensor(scale), self.first[:3, :3], scale * self.first[:3, 3])


def given_cameras(priors: ClipPriors, clip: Clip) -> GivenCameras | None:
    """What is known of the cameras of a clip; None where their poses are not."""
    if priors.c2w is None:
        return None
    c2w = _rigid(priors.c2w.double())
    viewmats = se3_inverse(c2w)
    lens = None
    if priors.K is not None:
        lens = priors.K.double().clone()
        lens[:, 0, 2] -= clip.width / 2
        lens[:, 1, 2] -= clip.height / 2
        lens[:, :2] /= clip.width
    return GivenCameras(viewmats @ c2w[0], viewmats[0], lens)


def _rigid(c2w: Float64[Tensor, "n 4 4"]) -> Float64[Tensor, "n 4 4"]:
    """The same with the nearest rotations: files hold rounded ones, which would stretch distant points."""
    U, _, Vh = torch.linalg.svd(c2w[:, :3, :3])
    result = c2w.clone()
    result[:, :3, :3] = U @ Vh
    return result
