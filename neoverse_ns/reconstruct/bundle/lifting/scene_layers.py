"""All layers of a scene as reconstructed: the keyframes' pixels, the fused background, the far field."""

from __future__ import annotations

import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.gaussians.layers import BACKGROUND, FAR_FIELD, FRAMES, LayeredGaussians
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.bundle.lifting.background import fuse_background
from neoverse_ns.reconstruct.bundle.lifting.far_field import far_field
from neoverse_ns.reconstruct.bundle.lifting.gaussian_limit import limit_gaussians
from neoverse_ns.reconstruct.bundle.lifting.keyframe_lift import KeyframeFlow, LiftConfig, lift
from neoverse_ns.reconstruct.bundle.lifting.still_surface import in_runs, still_pixels, with_one_surface


def scene_layers(
    clip: Clip, geometry: SceneGeometry, flows: dict[tuple[int, int], KeyframeFlow], config: LiftConfig
) -> LayeredGaussians:
    """Lift the keyframes' pixels and add what `config` asks for behind them.

    Before a camera that stands still, what stands still is one constant surface instead of one per keyframe.

    Args:
        clip: The frames; only the keyframes' pixels are read, and of what they ignore nothing becomes a Gaussian.
        geometry: Cameras, depth and motion masks of the keyframes.
        flows: Flow between neighbouring keyframes, by sampled-frame positions (from, to).
        config: See :class:`LiftConfig`.
    """
    lifted = lift(clip, geometry, flows, config)
    world = None if clip.ignored is None else ~clip.ignored[geometry.keyframes]
    still = still_pixels(clip, geometry)
    if still.any():
        world = torch.ones_like(geometry.dynamic) if world is None else world
        lifted, world = with_one_surface(lifted, world, still)
    found = {FRAMES: lifted if world is None else lifted[world.flatten()]}
    if config.background and len(geometry.keyframes) > 1:
        found[BACKGROUND] = fuse_background(clip, geometry, lifted)
    if config.far_field:
        found[FAR_FIELD] = far_field(clip, geometry)
    layers = limit_gaussians(LayeredGaussians(found), geometry, config.max_gaussians, world)
    return layers.replaced(FRAMES, in_runs(layers.frames)) if still.any() else layers
