"""Motion of rigid things whose poses are known at every frame: exact, dense, for any gap."""

from __future__ import annotations

import torch
from jaxtyping import Float64, Shaped
from torch import Tensor

from neoverse_ns.training.data.motion.view import View
from neoverse_ns.training.data.truth import Displacement


def rigid_displacement(
    view: View,
    instances: Shaped[Tensor, "h w"],
    poses: Float64[Tensor, "things 4 4"],
    other_poses: Float64[Tensor, "things 4 4"],
) -> Displacement:
    """X(t') - X(t) with X(t') = P(t') P(t)^-1 X(t), P the pose of the thing that a pixel shows.

    Args:
        view: Depth and camera at t.
        instances: Whole numbers: 0 for what stands still, n for row n - 1 of the poses.
        poses: Thing to world at t; rows that are not finite are unknown.
        other_poses: The same at t'.

    Returns:
        Exactly zero where nothing moves. Valid where depth and both poses are known; pixels of a number without a row
        are not valid.
    """
    changes, known = _changes(poses.double(), other_poses.double())
    numbers = instances.long()
    named = (numbers >= 0) & (numbers <= len(poses))
    numbers = torch.where(named, numbers, 0)
    change = changes[numbers]
    points = view.points
    world = (change[..., :3, :3] @ points[..., None]).squeeze(-1) + change[..., :3, 3]
    return Displacement(world.float(), view.known & named & known[numbers])


def _changes(poses: Tensor, other_poses: Tensor) -> tuple[Tensor, Tensor]:
    """P(t') P(t)^-1 - I of the background and of every thing, and which of them are known.

    Multiplied with a point, the difference gives its displacement without the rounding of large coordinates.
    """
    known = torch.isfinite(poses).flatten(1).all(1) & torch.isfinite(other_poses).flatten(1).all(1)
    identity = torch.eye(4, dtype=poses.dtype)
    before = torch.where(known[:, None, None], poses, identity)
    after = torch.where(known[:, None, None], other_poses, identity)
    change = (after - before) @ torch.linalg.inv(before)
    return torch.cat([torch.zeros_like(identity)[None], change]), torch.cat([known.new_ones(1), known])
