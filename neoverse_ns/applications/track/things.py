"""Which moving thing every Gaussian of the keyframes is a part of."""

from __future__ import annotations

import torch
from jaxtyping import Int64
from torch import Tensor

from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import project
from neoverse_ns.reconstruct.base import SceneGeometry


def things_of(gaussians: DynamicGaussians, geometry: SceneGeometry, cameras: PinholeCameras) -> Int64[Tensor, " n"]:
    """Number of the thing that each Gaussian shows; 0 for what is still.

    A Gaussian belongs to what its keyframe shows where its centre is. Where things were not told apart, all that moves
    is thing 1.

    Args:
        gaussians: The keyframes' own.
        geometry: What moves in the keyframes.
        cameras: One per frame, refined where they were.
    """
    maps = geometry.dynamic if geometry.things is None else geometry.things
    result = torch.zeros(len(gaussians), dtype=torch.int64)
    numbers, means = gaussians.keyframe.cpu(), gaussians.means.detach().cpu()
    for number, frame in enumerate(geometry.keyframes):
        rows = (numbers == number).nonzero()[:, 0]
        if not len(rows) or not bool(maps[number].any()):
            continue
        uv, _ = project(means[rows], cameras.viewmats[frame].to(means), cameras.K[frame].to(means))
        column = uv[:, 0].floor().long().clamp(0, cameras.width - 1)
        row = uv[:, 1].floor().long().clamp(0, cameras.height - 1)
        result[rows] = maps[number][row, column].long()
    return result
