"""How fast a path moves and turns, and where it leaps."""

from __future__ import annotations

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import project
from neoverse_ns.geometry.se3 import so3_log
from neoverse_ns.trajectory.checks.report import Problem, stretches

FAST = 0.06
"""Shift of the picture from frame to frame, in widths, from which on eyes no longer follow."""
LEAP = 0.025
"""The same below which a step is no jump, however quiet its neighbours are."""
SUDDEN = 5.0
"""How many times the shift of the steps around it makes a jump."""
_AROUND = 4
"""Steps to each side that a step is compared with."""


def steps_of(
    cameras: PinholeCameras, depth: Float[Tensor, " n"]
) -> tuple[
    Float64[Tensor, "n-1"],  # world units moved
    Float64[Tensor, "n-1"],  # degrees turned
    Float64[Tensor, "n-1"],  # about how far the picture shifts, widths
]:
    """How far every frame's camera is from the one before.

    The picture's shift is the mean over nine places of it, from corner to corner, where things at the depth given go.

    Args:
        cameras: Of the path.
        depth: Of what each of them typically sees, world units: it says how much a move shifts the picture.
    """
    c2w, K = cameras.c2w.to(torch.float64), cameras.K.to(torch.float64)
    moved = c2w[:, :3, 3].diff(dim=0).norm(dim=-1)
    turned = so3_log(c2w[:-1, :3, :3].mT @ c2w[1:, :3, :3]).norm(dim=-1)
    size = torch.tensor([cameras.width, cameras.height], dtype=torch.float64)
    places = torch.cartesian_prod(*[torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64)] * 2) * size
    rays = torch.cat([places, torch.ones(9, 1, dtype=torch.float64)], dim=-1) @ torch.linalg.inv(K[:-1]).mT
    seen = rays * depth[:-1, None, None].to(torch.float64)
    world = seen @ c2w[:-1, :3, :3].mT + c2w[:-1, None, :3, 3]
    uv, z = project(world, torch.linalg.inv(c2w[1:]), K[1:])
    # What is behind the next camera, or all but, has left the picture.
    shift = torch.where(z > 0.02 * depth[:-1, None], (uv - places).norm(dim=-1) / cameras.width, 1.0)
    return moved, torch.rad2deg(turned), shift.clamp(max=1.0).mean(dim=-1)


def speed_problems(
    shift: Float64[Tensor, " m"],
    even: Float64[Tensor, " m"],
    moved: Float64[Tensor, " m"],
    turned: Float64[Tensor, " m"],
) -> list[Problem]:
    """Jumps, each on its own, and stretches that are too fast.

    Args:
        shift: Of the picture per step, widths.
        even: The same as if everything seen were equally far, so that coming near something is no jump.
        moved: World units per step.
        turned: Degrees per step.
    """
    problems = []
    jump = torch.zeros(len(shift), dtype=torch.bool)
    for i in range(len(shift)):
        around = torch.cat([even[max(i - _AROUND, 0) : i], even[i + 1 : i + 1 + _AROUND]])
        usual = float(around.median()) if len(around) else 0.0
        if len(around) and float(even[i]) > max(LEAP, SUDDEN * usual):
            jump[i] = True
            how = f"{float(moved[i]):.3g} units and {float(turned[i]):.3g} degrees from frame {i}"
            problems.append(Problem("jump", i + 1, i + 1, f"the camera jumps by {how}: give it frames in between"))
    for first, last in stretches((shift > FAST) & ~jump):
        most = 100 * float(shift[first : last + 1].max())
        problems.append(
            Problem(
                "fast",
                first + 1,
                last + 1,
                f"the picture shifts by up to {most:.0f} % of its width from frame to frame: give the path more frames",
            )
        )
    return problems
