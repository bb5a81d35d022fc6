"""Context cameras a little aside from the real ones."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from neoverse_ns.generate.degradation.choices import Choices, Side
from neoverse_ns.geometry.se3 import assemble, so3_exp

STILL = 1e-6
"""Overall motion below this share of the scene's scale is none."""
PARALLEL = 1e-3
"""Sine of the angle below which the motion counts as straight up or down, and so has no left and no right."""


def sideways_direction(
    c2w: Float[Tensor, "k 4 4"], scale: float, side: Side = "left", down: Float[Tensor, "3"] | None = None
) -> Float[Tensor, "3"]:
    """Unit direction, in the world, in which all context cameras are moved: level, and at right angles to the motion.

    The overall motion goes from the first to the last camera. A clip without overall motion, as one frame is, or with
    one straight up or down, counts as moving where its first camera looks.

    Args:
        c2w: Context cameras in order of time.
        scale: The scene's scale, which tells motion from rounding.
        side: Of the motion.
        down: What level is at right angles to; None takes what the first camera sees as level.
    """
    first = c2w[0, :3, :3]
    motion = c2w[-1, :3, 3] - c2w[0, :3, 3]
    left = torch.linalg.cross(-first[:, 1] if down is None else -down, motion)
    if float(motion.norm()) <= STILL * scale or float(left.norm()) <= PARALLEL * float(motion.norm()):
        left = -first[:, 0]
    return normalize(left if side == "left" else -left, dim=0)


def look_at(
    centres: Float[Tensor, "k 3"], targets: Float[Tensor, "k 3"], down: Float[Tensor, "3"]
) -> Float[Tensor, "k 4 4"]:
    """Cameras at `centres` that look at `targets`, their right axis at right angles to `down`."""
    forward = normalize(targets - centres, dim=-1)
    right = normalize(torch.linalg.cross(down.expand_as(forward), forward), dim=-1)
    return assemble(torch.stack([right, torch.linalg.cross(forward, right), forward], dim=-1), centres)


def moved_cameras(
    c2w: Float[Tensor, "k 4 4"],
    mean_depth: Float[Tensor, " k"],
    scale: float,
    choices: Choices,
    down: Float[Tensor, "3"] | None = None,
) -> Float[Tensor, "k 4 4"]:
    """The context cameras moved aside, each looking at the middle of what it saw, and level.

    Args:
        c2w: Context cameras in order of time, OpenCV axes.
        mean_depth: Mean depth that each sees, world units.
        scale: The scene's scale, world units.
        choices: Side, distance and turn.
        down: What level is at right angles to; None takes what the first camera sees as level.
    """
    down = c2w[0, :3, 1] if down is None else down
    step = choices.distance * scale
    targets = c2w[:, :3, 3] + mean_depth.clamp_min(step)[:, None] * c2w[:, :3, 2]
    centres = c2w[:, :3, 3] + step * sideways_direction(c2w, scale, choices.side, down)
    moved = look_at(centres, targets, down)
    turn = so3_exp(torch.tensor(choices.rotation, dtype=torch.float64)).to(c2w)
    return assemble(moved[:, :3, :3] @ turn, moved[:, :3, 3])
