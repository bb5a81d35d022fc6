"""All Gaussians of a scene: the keyframes' pixels, the fused background, the backdrop."""

from __future__ import annotations

from neoverse_ns.clip.clip import Clip
from neoverse_ns.gaussians.dynamic import DynamicGaussians, concatenate
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.bundle.lifting.background import fuse_background
from neoverse_ns.reconstruct.bundle.lifting.far_field import backdrop
from neoverse_ns.reconstruct.bundle.lifting.gaussian_limit import limit_gaussians
from neoverse_ns.reconstruct.bundle.lifting.keyframe_lift import KeyframeFlow, LiftConfig, lift


def scene_gaussians(
    clip: Clip, geometry: SceneGeometry, flows: dict[tuple[int, int], KeyframeFlow], config: LiftConfig
) -> DynamicGaussians:
    """Lift the keyframes' pixels and add what `config` asks for behind them.

    Args:
        clip: The frames; only the keyframes' pixels are read.
        geometry: Cameras, depth and motion masks of the keyframes.
        flows: Flow between neighbouring keyframes, by sampled-frame positions (from, to).
        config: See :class:`LiftConfig`.
    """
    lifted = lift(clip, geometry, flows, config)
    behind = lifted[:0]
    if config.background and len(geometry.keyframes) > 1:
        behind = fuse_background(clip, geometry, lifted)
    if config.backdrop:
        behind = concatenate([behind, backdrop(clip, geometry)])
    return limit_gaussians(lifted, behind, geometry, config.max_gaussians)
