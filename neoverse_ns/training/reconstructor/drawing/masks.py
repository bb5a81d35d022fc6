"""Which pixels of drawn frames are judged."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.geometry import se3
from neoverse_ns.geometry.projection import project, unproject

OPAQUE_ENOUGH = 0.1
"""Intermediate frames are judged where they are drawn at least so much."""
_RELATIVE = 1e-5


@torch.no_grad()
def seen_by_keyframes(
    depth: Float[Tensor, "s h w"],
    valid: Bool[Tensor, "s h w"],
    c2w: Float[Tensor, "s 4 4"],
    K: Float[Tensor, "s 3 3"],
    keyframes: int,
    tolerance: float,
) -> Bool[Tensor, "m h w"]:
    """Pixels of the m intermediate frames whose surfaces some keyframe sees, so that the network can know of them.

    A keyframe sees a point inside its image whose depth there is its own, looked up bilinearly, within the tolerance
    and 1e-5 of it. Points are taken where they are at the intermediate frame's time: of what moves far between frames,
    only what a keyframe shows in the same place counts.

    Args:
        depth: z-depth of all frames, keyframes first.
        valid: It is known.
        c2w: Camera-to-world.
        K: Intrinsics in pixels.
        keyframes: How many there are.
        tolerance: World units.
    """
    height, width = depth.shape[-2:]
    points = unproject(depth[keyframes:], K[keyframes:], c2w[keyframes:])
    uv, z = project(points.reshape(1, -1, 3), se3.se3_inverse(c2w[:keyframes]), K[:keyframes])
    size = uv.new_tensor([width, height])
    inside = ((uv >= 0) & (uv <= size)).all(-1) & (z > 0)
    grid = (2 * uv / size - 1)[:, :, None]
    there = F.grid_sample(depth[:keyframes, None], grid, padding_mode="border", align_corners=False)[:, 0, :, 0]
    close = (z - there).abs() <= tolerance + _RELATIVE * there.abs()
    seen = (inside & close & (there > 0)).any(0).reshape(points.shape[:-1])
    return seen & valid[keyframes:]


@torch.no_grad()
def judged_pixels(
    alpha: Float[Tensor, "s h w"], shown: Bool[Tensor, " s"], seen: Bool[Tensor, "m h w"] | None
) -> Bool[Tensor, "s h w"]:
    """Pixels whose colours and opacity count: of keyframes all; of others what is seen and at least faintly drawn.

    Args:
        alpha: Opacity of all frames as drawn, keyframes first.
        shown: Frames that were drawn.
        seen: Of the intermediate frames, see :func:`seen_by_keyframes`; None where depth is unknown.
    """
    between = len(alpha) // 2
    judged = torch.ones_like(alpha, dtype=torch.bool)
    if between:
        drawn = alpha[-between:] > OPAQUE_ENOUGH
        judged[-between:] = drawn if seen is None else drawn & seen
    return judged & shown[:, None, None]
