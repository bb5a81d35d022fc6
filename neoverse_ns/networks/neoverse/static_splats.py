"""Which Gaussians of a dynamic clip stand still at all times (NeoVerse, section 3.1, global motion tracking)."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.geometry import se3
from neoverse_ns.geometry.projection import project
from neoverse_ns.networks.neoverse.splat_settings import SplatSettings

_NEAREST = 1e-8
"""What is closer to a camera's plane is behind it."""


def constant_splats(
    means: Float[Tensor, "s n 3"],
    speeds: Float[Tensor, "s n"] | None,
    depth: Float[Tensor, "s h w"],
    c2w: Float[Tensor, "s 4 4"],
    K: Float[Tensor, "s 3 3"],
    settings: SplatSettings,
) -> Bool[Tensor, "s n"]:
    """Gaussians slower than the threshold and, with tracking, slow wherever they are seen.

    Args:
        means: Centres in the world, one per pixel of every frame.
        speeds: World units per gap; None without motion, which leaves every Gaussian dynamic.
        depth: z-depth of every frame.
        c2w: Camera-to-world.
        K: Intrinsics with pixels at integer coordinates, as :func:`pixel_splats.unproject_integer_pixels` takes them.
        settings: Thresholds.
    """
    if speeds is None or settings.dynamic_threshold <= 0:
        return torch.zeros(means.shape[:2], dtype=torch.bool, device=means.device)
    constant = speeds < settings.dynamic_threshold
    if not settings.track_motion:
        return constant
    viewmats = se3.se3_inverse(c2w)
    for frame in range(len(means)):
        # Frame by frame, since every candidate is looked up in all frames at once.
        candidates = constant[frame].nonzero()[:, 0]
        fastest = _fastest_seen(means[frame, candidates], frame, speeds, depth, viewmats, K, settings)
        constant[frame, candidates] = fastest < settings.tracked_threshold
    return constant


def _fastest_seen(
    points: Float[Tensor, "k 3"],
    reference: int,
    speeds: Float[Tensor, "s n"],
    depth: Float[Tensor, "s h w"],
    viewmats: Float[Tensor, "s 4 4"],
    K: Float[Tensor, "s 3 3"],
    settings: SplatSettings,
) -> Float[Tensor, " k"]:
    """The largest speed at the pixels nearest to the points, over the frames that see them.

    A frame sees a point inside its image and at most the tolerance behind its depth map; `reference`, where the points
    come from, always does.
    """
    height, width = depth.shape[-2:]
    uv, z = project(points[None], viewmats, K)
    column, row = uv.nan_to_num().unbind(-1)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height) & (z > _NEAREST)
    pixel = row.round().clamp(0, height - 1).long() * width + column.round().clamp(0, width - 1).long()
    visible = inside & (z <= depth.flatten(1).gather(1, pixel) + settings.occlusion_tolerance)
    visible[reference] = True
    return torch.where(visible, speeds.gather(1, pixel), 0.0).amax(0)
