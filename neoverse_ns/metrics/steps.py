"""Steps from camera to camera: jumps of an estimate, repeats in a truth."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.geometry.se3 import so3_log

ROUND_OFF = 1e-9
"""Largest difference of two poses (relative to their size) that counts as none: interpolation leaves a few 1e-16."""


def largest_steps(c2w: Float[Tensor, "n 4 4"]) -> dict[str, float]:
    """The largest step and turn between neighbouring cameras, by themselves and against the median.

    Returns:
        `step` (units of `c2w`), `turn_degrees`, and both over their medians, `step_over_median` and
        `turn_over_median`: near 1 on an even path, large where a camera jumps, NaN where the median is 0 or there is
        no step.
    """
    R, centres = c2w[:, :3, :3].to(torch.float64), c2w[:, :3, 3].to(torch.float64)
    steps = (centres[1:] - centres[:-1]).norm(dim=-1)
    turns = so3_log(R[:-1].mT @ R[1:]).norm(dim=-1).rad2deg()
    result = {}
    for name, over, values in (("step", "step_over_median", steps), ("turn_degrees", "turn_over_median", turns)):
        largest = values.max().item() if len(values) else math.nan
        median = values.quantile(0.5).item() if len(values) else math.nan
        result |= {name: largest, over: largest / median if median > 0 else math.nan}
    return result


def distinct_poses(c2w: Float[Tensor, "n 4 4"]) -> Bool[Tensor, " n"]:
    """False for every camera that the next one repeats: of a run of equal poses only the last is kept.

    Recordings begin before the tracking does and are then given its first pose: frames that move, with a truth that
    does not.
    """
    gap = (c2w[1:] - c2w[:-1]).abs().flatten(1).amax(dim=1)
    size = 1 + c2w[1:].abs().flatten(1).amax(dim=1)
    return torch.cat([gap > ROUND_OFF * size, torch.ones(1, dtype=torch.bool)])
