"""What the network's cameras are like, as plain values."""

from __future__ import annotations

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import so3_log

STILL = 2.0
"""Shift in pixels of what lies at the median depth, over the whole clip, below which a camera stands or turns."""


def describe_cameras(cameras: PinholeCameras, depth: Float[Tensor, "k h w"]) -> dict[str, Any]:
    """Kind of movement, lens and evenness of the path, under the names that the other reconstructor's report has.

    - `kind`: "parallax", "rotation", "static" or "single"; `reason` where there is no parallax.
    - `focal_px`, `fov_degrees` (horizontal): the median over the frames; `focal_spread`: largest over smallest.
    - `parallax_degrees`: between the two cameras farthest from each other, at the median depth.
    - `largest_step_over_median`: of the steps between neighbouring cameras.

    Args:
        cameras: The world's unit is the median depth.
        depth: Of the keyframes.
    """
    focals = cameras.K[:, 0, 0].double()
    focal = float(focals.median())
    centres = cameras.c2w[:, :3, 3].double()
    extent = float(torch.cdist(centres, centres).max())
    turn = float(so3_log(cameras.c2w[:1, :3, :3].mT.double() @ cameras.c2w[:, :3, :3].double()).norm(dim=-1).max())
    steps = (centres[1:] - centres[:-1]).norm(dim=1)
    median = float(steps.median()) if len(steps) else 0.0
    facts: dict[str, Any] = {
        "focal_px": focal,
        "focal_spread": float(focals.max() / focals.min()),
        "fov_degrees": math.degrees(2 * math.atan(0.5 * cameras.width / focal)),
        "focal_from": "network",
        "parallax_degrees": math.degrees(2 * math.atan(0.5 * extent / float(depth.median()))),
        "largest_step_over_median": float(steps.max()) / median if median > 1e-9 else 1.0,
    }
    if len(cameras) == 1:
        return {"kind": "single", "reason": "no parallax: a single image", **facts}
    if focal * extent > STILL:
        return {"kind": "parallax", **facts}
    if focal * turn > STILL:
        return {"kind": "rotation", "reason": "no parallax: the camera only turns", **facts}
    return {"kind": "static", "reason": "no parallax: the camera stands still", **facts}
