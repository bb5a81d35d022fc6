"""The world in which the control branch sees cameras: that of the clips it was trained with."""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.generate.base import Conditions
from neoverse_ns.generate.conditions.plucker import plucker_maps
from neoverse_ns.geometry.se3 import se3_inverse


def in_branch_world(
    conditions: Conditions, unit: float = 1.0, origin: Float[Tensor, "4 4"] | None = None
) -> Conditions:
    """The same conditions with their lengths in another unit, and perhaps about another camera.

    Moments of rays and moves are lengths to the branch, and it was trained in the raw unit of a reconstruction network,
    each clip in the world of its own first camera. What is withheld, which is zero, stays withheld.

    Args:
        conditions: In the scene's world.
        unit: Length of the scene's unit in the network's.
        origin: Camera-to-world of the camera that becomes the world; None keeps the world.
    """
    if unit == 1.0 and origin is None:
        return conditions
    c2w = conditions.c2w.to(torch.float64)
    if origin is not None:
        c2w = se3_inverse(origin.to(c2w)) @ c2w
    c2w[:, :3, 3] *= unit
    c2w = c2w.to(conditions.c2w)
    rays = plucker_maps(c2w, conditions.K, conditions.height, conditions.width)
    given = conditions.plucker.flatten(1).any(dim=1)[:, None, None, None]
    return replace(conditions, c2w=c2w, plucker=rays * given, depth=conditions.depth * unit)
