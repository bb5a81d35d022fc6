"""What the geometry solve did and how well it fits, as plain values."""

from __future__ import annotations

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.reconstruct.bundle.cameras.lens import undistort
from neoverse_ns.reconstruct.bundle.cameras.state import State
from neoverse_ns.reconstruct.bundle.cameras.observations import Observations

NO_FIT: dict[str, Any] = {"residual_px": 0.0, "flow_used": 0.0, "parallax_degrees": 0.0}
"""The fit of a clip in which nothing was measured."""


def describe_focal(focal: float, width: int, given: float | None, measured: bool) -> dict[str, Any]:
    """Focal length in pixels, horizontal field of view, and where they come from: "given", "measured" or "assumed"."""
    return {
        "focal_px": focal * width,
        "fov_degrees": math.degrees(2 * math.atan(0.5 / focal)),
        "focal_from": "given" if given is not None else ("measured" if measured else "assumed"),
    }


def describe_fit(observations: Observations, error: Float[Tensor, "e p"]) -> dict[str, Any]:
    """Median residual over trusted points, and the share of the flow that is trusted."""
    trusted = observations.weights > 0.5
    residual = float(error[trusted].median()) if bool(trusted.any()) else 0.0
    return {"residual_px": residual, "flow_used": float(trusted.double().mean())}


def describe_path(state: State) -> dict[str, Any]:
    """Length of the longest step between neighbouring cameras against the median one."""
    centres = torch.linalg.inv(state.poses)[:, :3, 3]
    steps = (centres[1:] - centres[:-1]).norm(dim=1)
    median = float(steps.median()) if len(steps) else 0.0
    ratio = float(steps.max()) / median if median > 1e-9 else 1.0
    return {"largest_step_over_median": ratio}


def describe_unlinked(frames: list[int], count: int) -> str:
    """One line for the user about frames that show nothing the others show."""
    which = ", ".join(str(frame) for frame in frames[:8]) + (", ..." if len(frames) > 8 else "")
    return (
        f"{len(frames)} of {count} frames (positions {which}) show nothing that the rest shows: their cameras are "
        "guesses, and the depth of single ones is assumed. Use one place at a time, seen in views that overlap by half"
    )


def describe_parallax(observations: Observations, state: State) -> dict[str, Any]:
    """Median over trusted points of the largest angle under which the cameras see each."""
    centres = torch.linalg.inv(state.poses)
    angles = torch.zeros(state.inverse_depth.shape, dtype=torch.float64)
    for (i, j), edge in observations.edges.items():
        # Angle at the point between both viewing directions, in the source camera's frame.
        baseline = (state.poses[i] @ centres[j])[:3, 3]
        rays = undistort(observations.centred / state.focal[i], state.radial)
        point = torch.cat([rays, torch.ones_like(rays[:1])]) / state.inverse_depth[i].clamp_min(1e-6)
        angle = torch.rad2deg(_angle(point, point - baseline[:, None]))
        angles[i] = torch.maximum(angles[i], angle * (observations.weights[edge] > 0.5))
    seen = angles[angles > 0]
    return {"parallax_degrees": float(seen.median()) if len(seen) else 0.0}


def _angle(a: Tensor, b: Tensor) -> Tensor:
    return torch.atan2(torch.linalg.cross(a, b, dim=0).norm(dim=0), (a * b).sum(0))
