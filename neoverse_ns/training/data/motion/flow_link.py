"""Motion from a frame to a neighbouring one, of optical flow and depth, or of scene flow."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Float32, Float64
from torch import Tensor

from neoverse_ns.geometry.projection import pixel_centres
from neoverse_ns.training.data.motion.surface_sampling import AGREEMENT, sample_surface
from neoverse_ns.training.data.motion.view import View

ROUND_TRIP = 1.0
"""Pixels by which flow may miss its start after it has led there and back..."""
ROUND_TRIP_SHARE = 0.05
"""...and the share of its length that comes on top."""


@dataclass(frozen=True)
class FlowLink:
    """Where the surfaces that a frame's pixels show have gone by a neighbouring frame.

    Attributes:
        depth: z-depth of the frame it starts from, 0 where unknown.
        flow: Displacement in pixels (x, y), of any value where it is not valid.
        world: Displacement in world axes and unit, of any value where it is not valid.
        valid: The displacement is known; its target may be hidden or out of view.
        seen: The target is visible in the other frame, from where it can be followed on.
    """

    depth: Float32[Tensor, "h w"]
    flow: Float64[Tensor, "h w 2"]
    world: Float64[Tensor, "h w 3"]
    valid: Bool[Tensor, "h w"]
    seen: Bool[Tensor, "h w"]


def round_trip(flow: Float[Tensor, "h w 2"], backward: Float[Tensor, "h w 2"]) -> Bool[Tensor, "h w"]:
    """Flow whose target lies inside and from where `backward` leads back, within 1 pixel and 5 % of its length."""
    height, width = flow.shape[:2]
    target = pixel_centres(height, width, torch.float64) + flow.double()
    everywhere = torch.ones(height, width)
    known = torch.isfinite(backward).all(-1)
    back, inside = sample_surface(backward, known, everywhere, target)
    missed = (flow.double() + back).norm(dim=-1)
    return inside & (missed <= ROUND_TRIP + ROUND_TRIP_SHARE * flow.double().norm(dim=-1))


def link_from_flow(
    view: View,
    other: View,
    flow: Float[Tensor, "h w 2"],
    flow_valid: Bool[Tensor, "h w"] | None = None,
    backward: Float[Tensor, "h w 2"] | None = None,
    depth_then: Float[Tensor, "h w"] | None = None,
) -> FlowLink:
    """Of optical flow, and of depth at both times.

    Args:
        view: The frame that flow starts from.
        other: The frame it leads to.
        flow: In pixels (x, y).
        flow_valid: Where the set says that flow means something; None says everywhere.
        backward: Flow of `other` to `view`; where the two contradict each other, nothing is known.
        depth_then: z-depth in `other` of what each pixel of `view` shows, where the set has that (0 where unknown), so
            that hidden targets are known too. None reads `other.depth` at the target.
    """
    height, width = view.size
    target = pixel_centres(height, width, torch.float64) + flow.double()
    usable = torch.isfinite(flow).all(-1) & view.known
    if flow_valid is not None:
        usable = usable & flow_valid
    target = torch.where(usable[..., None], target, 0.5)
    there, lit = sample_surface(other.depth[..., None], other.known, other.depth, target)
    there = there[..., 0]
    seen = usable & lit
    if backward is not None:
        seen = seen & round_trip(torch.where(usable[..., None], flow, 0), backward)
    if depth_then is None:
        depth, valid = there, seen
    else:
        depth = depth_then.double()
        valid = usable & torch.isfinite(depth) & (depth > 0)
        seen = seen & valid & _agree(depth, there)
    arrived = _unproject(target, torch.where(valid, depth, 1), other)
    return FlowLink(
        view.depth, target - pixel_centres(height, width, torch.float64), arrived - view.points, valid, seen
    )


def link_from_world(
    view: View, other: View, world: Float[Tensor, "h w 3"], valid: Bool[Tensor, "h w"] | None = None
) -> FlowLink:
    """Of scene flow.

    Args:
        view: The frame that it starts from.
        other: The frame it leads to.
        world: Displacement in world axes and unit, without the camera's own motion.
        valid: Where the set knows it; None says everywhere.
    """
    usable = torch.isfinite(world).all(-1) & view.known
    if valid is not None:
        usable = usable & valid
    moved = torch.where(usable[..., None], world.double(), 0)
    target, z = other.project(view.points + moved)
    there, lit = sample_surface(other.depth[..., None], other.known, other.depth, target)
    seen = usable & lit & (z > 0) & _agree(z, there[..., 0])
    flow = target - pixel_centres(*view.size, torch.float64)
    return FlowLink(view.depth, torch.where((usable & (z > 0))[..., None], flow, 0), moved, usable, seen)


def _agree(depth: Tensor, there: Tensor) -> Tensor:
    return (depth - there).abs() <= AGREEMENT * there


def _unproject(uv: Float64[Tensor, "h w 2"], depth: Float64[Tensor, "h w"], view: View) -> Float64[Tensor, "h w 3"]:
    """World points at any image coordinates."""
    K, c2w = view.K.double(), view.c2w.double()
    in_plane = (uv - K[:2, 2]) / torch.stack([K[0, 0], K[1, 1]]) * depth[..., None]
    camera = torch.cat([in_plane, depth[..., None]], dim=-1)
    return camera @ c2w[:3, :3].mT + c2w[:3, 3]
