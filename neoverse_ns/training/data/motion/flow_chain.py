"""Motion over several frames, of motion from each frame to the next."""

from __future__ import annotations

from collections.abc import Callable

import torch

from neoverse_ns.geometry.projection import pixel_centres
from neoverse_ns.training.data.motion.flow_link import FlowLink
from neoverse_ns.training.data.motion.surface_sampling import sample_surface
from neoverse_ns.training.data.truth import Displacement


def chain_links(index: int, other: int, link: Callable[[int, int], FlowLink]) -> Displacement:
    """Follow what frame `index` shows frame by frame until `other`, and sum its displacements.

    Args:
        index: Frame to start from.
        other: Another frame, before or after it.
        link: Motion from a frame to a neighbouring one; called for each step of the way, in order.

    Returns:
        Valid where every link is, and where the surface is seen in every frame between, without which it cannot be
        followed; in the last frame it may be hidden.

    Raises:
        ValueError: The frames are the same.
    """
    if index == other:
        raise ValueError(f"frame {index} does not move until itself")
    step = 1 if other > index else -1
    first = link(index, index + step)
    height, width = first.depth.shape
    place = pixel_centres(height, width, torch.float64) + first.flow
    world, valid, seen = first.world, first.valid, first.seen
    for frame in range(index + step, other, step):
        valid = valid & seen
        if not valid.any():
            break
        current = link(frame, frame + step)
        motion = torch.cat([current.flow, current.world, current.seen[..., None].double()], dim=-1)
        found, known = sample_surface(motion, current.valid, current.depth, torch.where(valid[..., None], place, -1))
        valid = valid & known
        world = world + torch.where(valid[..., None], found[..., 2:5], 0)
        place = place + found[..., :2]
        # Between pixels that are seen and such that are not, it is not known to be seen.
        seen = found[..., 5] > 0.999
    return Displacement(world.float(), valid)
