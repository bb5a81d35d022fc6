"""Moving Gaussians by a similarity transform."""

from __future__ import annotations

import torch

from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.geometry import quaternions
from neoverse_ns.geometry.alignment import Sim3


def transform(gaussians: DynamicGaussians, sim3: Sim3) -> DynamicGaussians:
    """Apply x -> s R x + t to every Gaussian.

    Angular velocities act in each Gaussian's own frame (they multiply its rotation from the right), so they do not
    change. Spherical harmonics above band 0 would have to be rotated.

    Raises:
        ValueError: The Gaussians carry view-dependent colour.
    """
    if gaussians.sh.shape[1] > 1:
        raise ValueError(f"only degree-0 colour can be transformed, got degree {gaussians.sh_degree}")
    dtype, device = gaussians.means.dtype, gaussians.device
    rotation = sim3.R.to(device, dtype)
    scale = float(sim3.scale)
    turn = quaternions.from_matrix(rotation).expand(len(gaussians), 4)
    return gaussians.with_(
        means=scale * gaussians.means @ rotation.T + sim3.t.to(device, dtype),
        quats=quaternions.multiply(turn, gaussians.quats),
        log_scales=gaussians.log_scales + torch.log(torch.tensor(scale, dtype=dtype)).item(),
        velocities=scale * gaussians.velocities @ rotation.T,
    )


def transform_layers(scene: LayeredGaussians, sim3: Sim3) -> LayeredGaussians:
    """:func:`transform` of every layer."""
    return scene.map(lambda layer: transform(layer, sim3))
