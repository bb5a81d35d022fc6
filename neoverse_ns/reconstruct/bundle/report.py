"""What the geometry solve did and how well it fits, as plain values."""

from __future__ import annotations

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.geometry.radial_lens import undistort
from neoverse_ns.reconstruct.bundle.cameras.doubt import Doubt
from neoverse_ns.reconstruct.bundle.cameras.focal_interval import FocalInterval
from neoverse_ns.reconstruct.bundle.cameras.observations import Observations
from neoverse_ns.reconstruct.bundle.cameras.state import State
from neoverse_ns.reconstruct.bundle.config import field_of_view

NO_FIT: dict[str, Any] = {"residual_px": 0.0, "flow_used": 0.0, "parallax_degrees": 0.0}
"""The fit of a clip in which nothing was measured."""
NO_DOUBT: dict[str, Any] = {"confidence": "good", "doubts": [], "unexplained_flow": 0.0}
"""Where nothing can be doubted, because nothing is claimed."""


def describe_focal(focal: float, width: int, source: str, interval: FocalInterval | None = None) -> dict[str, Any]:
    """Focal length in pixels, horizontal field of view, where they come from, and between which values they may lie.

    Args:
        focal: Over width.
        width: Of the frames.
        source: "given", "measured", "metadata" (the file says it), "weak" (the clip tells it no
            better than some 15 %) or "assumed".
        interval: What explains the clip about as well; None where it was not asked.
    """
    facts: dict[str, Any] = {"focal_px": focal * width, "fov_degrees": field_of_view(focal), "focal_from": source}
    if interval is not None:
        facts["focal_px_interval"] = [
            interval.low * width,
            None if math.isinf(interval.high) else interval.high * width,
        ]
        facts["fov_degrees_interval"] = [field_of_view(interval.high), field_of_view(interval.low)]
    return facts


def describe_lens(state: State, kind: str) -> dict[str, Any]:
    """The lens that was found: "pinhole", "zoom" with its range, or "radial"."""
    facts: dict[str, Any] = {"lens": kind}
    if kind == "zoom":
        facts["zoom_ratio"] = float(state.focal.max() / state.focal.min())
    return facts


def describe_doubt(doubt: Doubt) -> dict[str, Any]:
    """How far the cameras are to be trusted, and why not."""
    return {"confidence": doubt.confidence, "doubts": list(doubt.reasons)}


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
