"""How fast a path moves and turns, and where it leaps."""

from __future__ import annotations

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from neoverse_ns.geometry.cameras import PinholeCameras
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

    Args:
        cameras: Of the path.
        depth: Of what each of them typically sees, world units: it says how much a move shifts the picture.
    """
    c2w, K = cameras.c2w.to(torch.float64), cameras.K.to(torch.float64)
    steps = c2w[:, :3, 3].diff(dim=0)
    turned = so3_log(c2w[:-1, :3, :3].mT @ c2w[1:, :3, :3]).norm(dim=-1)
    near = torch.minimum(depth[:-1], depth[1:]).to(torch.float64).clamp_min(1e-6)
    focal = K[1:, 0, 0] / cameras.width
    ahead = (steps * c2w[:-1, :3, 2]).sum(dim=-1)
    aside = (steps.square().sum(dim=-1) - ahead.square()).clamp_min(0).sqrt()
    # Beyond a right angle the picture is another one altogether.
    turning = torch.tan((turned + torch.atan(aside / near)).clamp(max=1.5)) * focal
    # Going ahead moves the picture's rim by half its width where the depth halves.
    shift = turning + 0.5 * ahead.abs() / near
    return steps.norm(dim=-1), torch.rad2deg(turned), shift


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
