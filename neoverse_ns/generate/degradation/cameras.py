"""Context cameras a little aside from the real ones."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from neoverse_ns.generate.degradation.choices import SIDES, Choices, Side
from neoverse_ns.geometry.se3 import assemble, so3_exp

STILL = 1e-3
"""Overall motion below this share of the scene's scale is none."""
PARALLEL = 0.1
"""Sine of the angle below which an axis counts as parallel to the motion."""


def sideways_direction(
    c2w: Float[Tensor, "k 4 4"], scale: float, sides: tuple[Side, ...] = SIDES
) -> Float[Tensor, "3"]:
    """Unit direction, in the world, in which all context cameras are moved.

    The overall motion, from the first to the last camera, crossed with the first of `sides` that is not nearly parallel
    to it. A clip without overall motion, as one frame is, counts as moving where its first camera looks.

    Args:
        c2w: Context cameras in order of time.
        scale: The scene's scale, which tells motion from noise.
        sides: Axes of the first camera, in the order to be tried.
    """
    first = c2w[0, :3, :3]
    motion = c2w[-1, :3, 3] - c2w[0, :3, 3]
    motion = first[:, 2] if float(motion.norm()) <= STILL * scale else normalize(motion, dim=0)
    axes = {"up": -first[:, 1], "left": -first[:, 0], "right": first[:, 0]}
    # Whatever is asked for, two axes at right angles are tried in the end, and no motion is parallel to both.
    for side in (*sides, *SIDES):
        across = torch.linalg.cross(motion, axes[side])
        if float(across.norm()) > PARALLEL:
            return normalize(across, dim=0)
    raise AssertionError("a rotation matrix has axes at right angles")


def look_at(
    c2w: Float[Tensor, "k 4 4"], centres: Float[Tensor, "k 3"], targets: Float[Tensor, "k 3"]
) -> Float[Tensor, "k 4 4"]:
    """Cameras at `centres` that look at `targets`, their down axis as near to that of `c2w` as can be."""
    forward = normalize(targets - centres, dim=-1)
    right = normalize(torch.linalg.cross(c2w[:, :3, 1], forward), dim=-1)
    return assemble(torch.stack([right, torch.linalg.cross(forward, right), forward], dim=-1), centres)


def moved_cameras(
    c2w: Float[Tensor, "k 4 4"], mean_depth: Float[Tensor, " k"], scale: float, choices: Choices
) -> Float[Tensor, "k 4 4"]:
    """The context cameras moved aside, each looking at the middle of what it saw.

    Args:
        c2w: Context cameras in order of time, OpenCV axes.
        mean_depth: Mean depth that each sees, world units.
        scale: The scene's scale, world units.
        choices: Side, distance and turn.
    """
    step = choices.distance * scale
    targets = c2w[:, :3, 3] + mean_depth.clamp_min(step)[:, None] * c2w[:, :3, 2]
    centres = c2w[:, :3, 3] + step * sideways_direction(c2w, scale, choices.sides)
    moved = look_at(c2w, centres, targets)
    turn = so3_exp(torch.tensor(choices.rotation, dtype=torch.float64)).to(c2w)
    return assemble(moved[:, :3, :3] @ turn, moved[:, :3, 3])
