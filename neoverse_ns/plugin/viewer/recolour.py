"""The scene in other colours: what moves, and how sure its depth is."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.gaussians.dynamic import SH_C0, DynamicGaussians
from neoverse_ns.gaussians.layers import FRAMES, LayeredGaussians
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import project
from neoverse_ns.reconstruct.base import SceneGeometry

MOVES = 0.01
"""Gaussians move whose way across a gap between keyframes is longer than this share of their distance from the first
camera: half a degree, were it seen from there. Optimisation leaves a trace of motion in everything."""


def moving(gaussians: DynamicGaussians) -> Bool[Tensor, " n"]:
    """Which Gaussians move."""
    way = gaussians.velocities.detach().norm(dim=-1).amax(dim=-1)
    return gaussians.dynamic & (way > MOVES * gaussians.means.detach().norm(dim=-1))


def with_values(gaussians: DynamicGaussians, values: Float[Tensor, " n"]) -> DynamicGaussians:
    """The same Gaussians in grey, of `values` in [0, 1]."""
    grey = ((values - 0.5) / SH_C0)[:, None, None].expand(-1, 1, 3)
    return gaussians.with_(sh=grey.to(gaussians.means))


def motion_scene(scene: LayeredGaussians) -> LayeredGaussians:
    """What moves in white, all else in black."""
    return scene.map(lambda layer: with_values(layer, moving(layer).float()))


def confidence_scene(scene: LayeredGaussians, geometry: SceneGeometry, cameras: PinholeCameras) -> LayeredGaussians:
    """The keyframes' own Gaussians in the grey of their depth's confidence; other layers have none and are left out.

    Args:
        scene: Of nerfstudio's world.
        geometry: Confidence per keyframe.
        cameras: Of all frames, in the same world.
    """
    layer = scene.frames.detach()
    values = torch.zeros(len(layer))
    means, keyframe = layer.means.cpu(), layer.keyframe.cpu()
    for k, frame in enumerate(geometry.keyframes):
        rows = torch.nonzero(keyframe == k)[:, 0]
        pixels, _ = project(means[rows], cameras.viewmats[frame].float(), cameras.K[frame].float())
        column = pixels[:, 0].long().clamp(0, cameras.width - 1)
        row = pixels[:, 1].long().clamp(0, cameras.height - 1)
        values[rows] = geometry.confidence[k][row, column].float()
    return LayeredGaussians({FRAMES: with_values(layer, values.to(layer.device))})
