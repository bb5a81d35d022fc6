"""All layers of a scene as reconstructed: the keyframes' pixels, the fused background, the far field."""

from __future__ import annotations

from collections.abc import Collection

import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.gaussians.layers import BACKGROUND, FAR_FIELD, FRAMES, LayeredGaussians
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.bundle.lifting.background import fuse_background
from neoverse_ns.reconstruct.bundle.lifting.far_field import far_field
from neoverse_ns.reconstruct.bundle.lifting.gaussian_limit import limit_gaussians
from neoverse_ns.reconstruct.bundle.lifting.keyframe_lift import LiftConfig, lift
from neoverse_ns.reconstruct.bundle.lifting.scene_flow import KeyframeFlow
from neoverse_ns.reconstruct.bundle.lifting.still_surface import still_pixels, with_one_surface


def scene_layers(
    clip: Clip,
    geometry: SceneGeometry,
    flows: dict[tuple[int, int], KeyframeFlow],
    config: LiftConfig,
    whole: Collection[int] | None = None,
) -> LayeredGaussians:
    """Lift the keyframes' pixels and add what `config` asks for behind them.

    Before a camera that stands still, what stands still is one constant surface instead of one per keyframe.

    Args:
        clip: The frames; only the keyframes' pixels are read, and of what they ignore nothing becomes a Gaussian.
        geometry: Cameras, depth and motion masks of the keyframes.
        flows: Flow between neighbouring keyframes, by sampled-frame positions (from, to).
        config: See :class:`LiftConfig`.
        whole: See :func:`neoverse_ns.reconstruct.bundle.lifting.keyframe_lift.lift`.
    """
    lifted = lift(clip, geometry, flows, config, whole)
    still = still_pixels(clip, geometry)
    if still.any():
        lifted = with_one_surface(lifted, still)
    layers = {FRAMES: lifted.gaussians}
    if config.background and len(geometry.keyframes) > 1:
        layers[BACKGROUND] = fuse_background(clip, geometry, lifted)
    if config.far_field:
        layers[FAR_FIELD] = far_field(clip, geometry)
    scene = limit_gaussians(LayeredGaussians(layers), geometry, config.max_gaussians, lifted.pixels)
    return scene.replaced(FRAMES, _in_runs(scene.frames))


def _in_runs(gaussians: DynamicGaussians) -> DynamicGaussians:
    """Those of one keyframe sorted by their lifetimes: long runs of equal ones are what makes selection quick."""
    order = torch.arange(len(gaussians))
    for key in (gaussians.interval[:, 2], gaussians.interval[:, 0], gaussians.dynamic.int(), gaussians.keyframe):
        order = order[key[order].argsort(stable=True)]
    return gaussians if bool((order.diff() == 1).all()) else gaussians[order]
