"""What is left to find where cameras are given: the scale of depth, whether it shows, and a focal length not told."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.reconstruct.bundle import report as describe
from neoverse_ns.reconstruct.bundle.cameras.doubt import MANY, MOST, Doubt, unexplained_share
from neoverse_ns.reconstruct.bundle.cameras.given import GivenCameras
from neoverse_ns.reconstruct.bundle.cameras.no_parallax import NO_TEXTURE, STILL, TURNING, explained_share, has_texture
from neoverse_ns.reconstruct.bundle.cameras.observations import Observations, observe
from neoverse_ns.reconstruct.bundle.cameras.state import State
from neoverse_ns.reconstruct.bundle.cameras.triangulation import Structure, largest_angles, triangulate
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField, to_gray

FOCALS = np.geomspace(0.3, 4.0, 27)
"""Focal lengths over width that are tried where none is given, before the best is refined."""
REFINEMENTS = 14
"""Golden sections of the interval around it."""
TOO_CLOSE = "no parallax: nothing shifts between the given cameras as depth would make it"
MISFIT = (
    "of what can be followed does not move as the given cameras say: check that they belong to these frames "
    "(--priors.match, --priors.first-number), and their axes; --priors.use-poses False leaves the poses out"
)


@dataclass(frozen=True)
class GivenSolution:
    """Given cameras with the structure that they imply.

    Attributes:
        state: Their poses in the unit of the median depth; depths of all grid points.
        facts: For the report.
        scale: Their unit over the given one's.
    """

    state: State
    facts: dict[str, Any]
    scale: float


def solve_given(flow: FlowField, clip: Clip, config: BundleConfig, given: GivenCameras) -> GivenSolution:
    """Find what the given cameras leave open; poses and intrinsics stay what they are, but for one common scale.

    Args:
        flow: Of all pairs that show something in common, which may be none.
        clip: The frames.
        config: Settings; its field of view counts where the intrinsics are not given.
        given: Of exactly these frames.
    """
    if not flow.flow:
        lens = given.lens if given.lens is not None else _pinhole(config.known_focal or config.focal_prior, len(clip))
        kind, reason = ("single", "a single image") if len(clip) == 1 else ("static", "no two frames show the same")
        facts = {"kind": kind, "reason": f"no parallax: {reason}", **describe.NO_FIT, **describe.NO_DOUBT}
        return _solution(given, lens, torch.zeros(len(clip), 1, dtype=torch.float64), 1.0, facts, clip)
    observations = observe(flow, len(clip), config.fine_stride)
    lens, source = given.lens, "given"
    if lens is None:
        focal, source = _focal(flow, clip, config, given)
        lens = _pinhole(focal, len(clip))
    kernel = config.kernel_wide, config.kernel_narrow
    structure = triangulate(observations, given.poses, lens, kernel)
    reason = _no_parallax(observations, structure, clip, config)
    typical = structure.typical() if reason is None else None
    scale = typical or structure.rough() or 1.0
    facts: dict[str, Any] = {"kind": "parallax" if reason is None else _kind(given)}
    error = structure.error if reason is None else structure.error_far
    # A camera that stands or turns is recognised by what it explains; the rest moves, and speaks against nobody.
    unexplained = unexplained_share(observations, error) if reason in (None, TOO_CLOSE) else 0.0
    angles = largest_angles(observations, given.poses, lens, structure.inverse_depth)
    seen = angles[angles > 0]
    facts |= {"reason": reason} if reason is not None else {}
    facts |= describe.describe_fit(observations, error)
    facts |= {"parallax_degrees": float(seen.median()) if len(seen) else 0.0, "unexplained_flow": unexplained}
    facts |= describe.describe_doubt(_doubt(unexplained))
    return _solution(given, lens, structure.inverse_depth, scale, facts, clip, source)


def _solution(
    given: GivenCameras,
    lens: Float64[Tensor, "n 3 3"],
    inverse_depth: Float64[Tensor, "n p"],
    scale: float,
    facts: dict[str, Any],
    clip: Clip,
    source: str = "given",
) -> GivenSolution:
    poses = given.poses.clone()
    poses[:, :3, 3] *= scale
    depth = torch.where(inverse_depth > 0, inverse_depth / scale, torch.ones_like(inverse_depth))
    state = State(poses, depth, (lens[:, 0, 0] * lens[:, 1, 1]).sqrt(), lens=lens)
    facts = {
        **facts,
        **describe.describe_focal(state.mean_focal, clip.width, source),
        **describe.describe_lens(state, "pinhole"),
        **describe.describe_path(state),
        "cameras_from": "given",
    }
    return GivenSolution(state, facts, scale)


def _no_parallax(observations: Observations, structure: Structure, clip: Clip, config: BundleConfig) -> str | None:
    """Why depth cannot be measured between the given cameras; None where it can.

    Flow decides, not the distance of the centres: a path that is told to the last digit may still show nothing.
    """
    if not any(has_texture(image) for image in to_gray(clip.frames.numpy())):
        return NO_TEXTURE
    moved = (observations.seen - observations.points.T).norm(dim=1) * observations.width
    if explained_share(observations, moved, STILL) >= config.no_parallax_inliers:
        return "no parallax: the camera stands still"
    if explained_share(observations, structure.error_far, TURNING) >= config.no_parallax_inliers:
        return "no parallax: the camera turns without moving"
    if structure.typical() is None:
        return TOO_CLOSE
    return None


def _kind(given: GivenCameras) -> str:
    turns = (given.poses[:, :3, :3] - torch.eye(3, dtype=torch.float64)).abs().amax()
    return "rotation" if float(turns) > 1e-3 else "static"


def _doubt(unexplained: float) -> Doubt:
    if unexplained < MANY:
        return Doubt()
    return Doubt("poor" if unexplained >= MOST else "fair", (f"{unexplained:.0%} {MISFIT}",))


def _pinhole(focal: float, frames: int) -> Float64[Tensor, "n 3 3"]:
    return torch.diag(torch.tensor([focal, focal, 1.0], dtype=torch.float64)).repeat(frames, 1, 1)


def _focal(flow: FlowField, clip: Clip, config: BundleConfig, given: GivenCameras) -> tuple[float, str]:
    """Focal length over width, common to all frames, and where it comes from: the settings or the flow."""
    if config.known_focal is not None:
        return config.known_focal, "given"
    coarse = observe(flow, len(clip), config.coarse_stride)

    def cost(focal: float) -> float:
        lens = _pinhole(focal, len(clip))
        error = triangulate(coarse, given.poses, lens, (config.kernel_wide, config.kernel_narrow)).error
        return float((coarse.weights * torch.log1p((error / config.kernel_narrow).square())).sum())

    costs = [cost(float(focal)) for focal in FOCALS]
    best = int(np.argmin(costs))
    low, high = math.log(FOCALS[max(best - 1, 0)]), math.log(FOCALS[min(best + 1, len(FOCALS) - 1)])
    ratio = (math.sqrt(5) - 1) / 2
    for _ in range(REFINEMENTS):
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, b) if cost(math.exp(a)) < cost(math.exp(b)) else (a, high)
    return math.exp((low + high) / 2), "measured"
