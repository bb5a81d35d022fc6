"""What of a scene a plan should show: what lies near the cameras, and not the sky behind it."""

from __future__ import annotations

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from neoverse_ns.gaussians.layers import LAYERS, LayeredGaussians
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import unproject
from neoverse_ns.rasterize.drawing import DrawOptions
from neoverse_ns.trajectory.checks.check import seen_surfaces
from neoverse_ns.trajectory.trajectory import spread_times

NEAR = 1.5
"""Depth, in units of the median depth that the clip's cameras see, up to which a plan must show what is seen.

Moves are measured in the median depth: with much more around them, paths become specks.
"""
_KEPT = (0.02, 0.98)
"""Quantiles of the near scene that must be shown: strays shall not widen a plan."""


def near_scene(
    gaussians: LayeredGaussians, cameras: PinholeCameras, options: DrawOptions | None = None
) -> Float64[Tensor, "m 3"]:
    """Places, world units, of what some of the clip's cameras see near them.

    Args:
        gaussians: The scene.
        cameras: The clip's; what moves is taken to have been filmed at an even rate.
        options: How the scene is drawn.
    """
    surfaces = gaussians.without(*(name for name in gaussians if not LAYERS[name].is_surface))
    seen = seen_surfaces(surfaces, cameras, spread_times(len(cameras)), options)
    known = torch.isfinite(seen.depth)
    if not known.any():
        return torch.zeros(0, 3, dtype=torch.float64)
    near = known & (seen.depth <= NEAR * seen.depth[known].median())
    depth = torch.where(known, seen.depth, torch.ones_like(seen.depth)).double()
    return unproject(depth, seen.cameras.K.double().cpu(), seen.cameras.c2w.double().cpu())[near]


def frame_of(
    near: Float64[Tensor, "m 3"], needed: Float[Tensor, "n 3"], axes: Float[Tensor, "3 3"]
) -> Float64[Tensor, "2 3"]:
    """Two opposite corners, world units, of the box along `axes` that holds all of `needed` and nearly all of `near`.

    Args:
        near: What may lose its strays.
        needed: At least one place.
        axes: Orthonormal, one a row.
    """
    axes = axes.double()
    local = needed.double() @ axes.T
    if len(near):
        kept = torch.quantile(near @ axes.T, torch.tensor(_KEPT, dtype=torch.float64), dim=0)
        local = torch.cat([local, kept])
    return torch.stack([local.amin(dim=0), local.amax(dim=0)]) @ axes
