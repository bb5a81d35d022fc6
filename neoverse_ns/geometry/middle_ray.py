"""Cameras compared by the ray through the image's middle instead of the z axis.

An assumed principal point has been made up for by turning every camera, so that two estimates of one camera agree along
that ray, and differ along z.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from neoverse_ns.geometry.cameras import PinholeCameras


def toward_middle(cameras: PinholeCameras) -> Float64[Tensor, "n 4 4"]:
    """Camera-to-world matrices, each turned until its z axis is the ray through the image's middle."""
    return cameras.c2w.double() @ to_middle(cameras.K, cameras.width, cameras.height)


def to_middle(K: Float[Tensor, "n 3 3"], width: int, height: int) -> Float64[Tensor, "n 4 4"]:
    """The least turn that takes the z axis onto the ray through the image's middle, as a rigid motion."""
    middle = torch.tensor([width / 2, height / 2, 1.0], dtype=torch.float64)
    x, y, z = torch.nn.functional.normalize(torch.linalg.inv(K.double()) @ middle, dim=-1).unbind(-1)
    # Rodrigues' formula for the turn about z cross ray = (-y, x, 0).
    k = 1 / (1 + z)
    turn = torch.stack([1 - x * x * k, -x * y * k, x, -x * y * k, 1 - y * y * k, y, -x, -y, z], -1).reshape(-1, 3, 3)
    motion = torch.eye(4, dtype=torch.float64).repeat(len(turn), 1, 1)
    motion[:, :3, :3] = turn
    return motion
