"""Clips that show no parallax: a single image, a camera that stands still, one that only turns.

Their depth cannot be measured, so it comes from a prior: ground below, distance above, as in most photographs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from neoverse_ns.reconstruct.bundle.cameras.bundle_adjustment import Adjustment, AdjustmentSettings, adjust
from neoverse_ns.reconstruct.bundle.cameras.state import State
from neoverse_ns.reconstruct.bundle.cameras.observations import Observations
from neoverse_ns.reconstruct.bundle.cameras.rotation import rotation_start
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.parallel import map_on_cores

STILL = 0.6
"""Displacement in pixels over the longest gap below which a point counts as not moving."""
TURNING = 1.0
"""Residual in pixels below which a rotation explains a point's flow."""
TURNING_PRIOR = 10.0
"""How much more the prior on the focal length weighs than with parallax: a small turn says little about it, and what
moves on its own says something wrong."""
FOLLOWED = 0.5
"""Share of the trust in a frame's best pair that a wider pair must keep to be cues for or against parallax."""
PRIOR_CONFIDENCE = 0.3
"""Trust in depth that comes from the prior alone."""
MIN_GRADIENT, MIN_TEXTURE = 4.0, 0.005
"""An image has texture if this share of its pixels differs from a neighbour by so many grey levels."""


@dataclass(frozen=True)
class NoParallax:
    """Why a clip shows no parallax, and the cameras that explain it.

    Attributes:
        kind: "static" or "rotation".
        reason: One sentence for the user.
        state: Poses without translation; inverse depths mean nothing.
        error: Reprojection error in pixels.
        focal_found: Whether the focal length was measured (from the rotation) rather than assumed.
    """

    kind: str
    reason: str
    state: State
    error: Float[Tensor, "e p"]
    focal_found: bool


def find_no_parallax(
    observations: Observations, gray: list[UInt8[np.ndarray, "h w"]], config: BundleConfig
) -> NoParallax | None:
    """Recognise a camera that stands still or only turns; None where there is parallax to measure."""
    still = standing_still(observations.frames, observations.points.shape[0], config)
    motion = (observations.seen - observations.points.T).norm(dim=1) * observations.width
    if not any(has_texture(image) for image in gray):
        return NoParallax("static", "no parallax: the frames show no texture to follow", still, motion, False)
    if explained_share(observations, motion, STILL) >= config.no_parallax_inliers:
        return NoParallax("static", "no parallax: the camera stands still", still, motion, False)
    turn = turning_cameras(observations, config)
    if explained_share(observations, turn[1], TURNING) < config.no_parallax_inliers:
        return None
    return NoParallax("rotation", "no parallax: the camera turns without moving", *turn, config.fov_degrees is None)


def standing_still(frames: int, points: int, config: BundleConfig) -> State:
    """All cameras at the origin, with the focal length given or assumed, and nothing near."""
    return State(
        torch.eye(4, dtype=torch.float64).repeat(frames, 1, 1),
        torch.zeros(frames, points, dtype=torch.float64),
        torch.full((frames,), config.known_focal or config.focal_prior, dtype=torch.float64),
    )


def turning_cameras(observations: Observations, config: BundleConfig) -> tuple[State, Float[Tensor, "e p"]]:
    """Rotations and focal length that explain the flow best without any translation, and the error in pixels."""
    settings = AdjustmentSettings(
        iterations=config.coarse_iterations,
        kernel=(config.kernel_wide, config.kernel_narrow),
        smoothness=0.0,
        prior=(config.focal_prior, config.focal_prior_spread, TURNING_PRIOR * config.focal_prior_weight),
        solve_focal=config.known_focal is None,
        solve_translation=False,
    )

    def solve(guess: float) -> Adjustment:
        return adjust(observations, rotation_start(observations, guess), settings)

    guesses = (config.known_focal,) if config.known_focal else config.focal_guesses
    best = min(map_on_cores(solve, guesses), key=lambda result: result.cost)
    return best.state, best.error


def explained_share(observations: Observations, error: Float[Tensor, "e p"], tolerance: float) -> float:
    """Confident share of the points with an error below `tolerance` pixels, in the median over the frames.

    For each frame the widest pair counts that flow could follow: there parallax shows most. A pair that kept less than
    `FOLLOWED` of the trust of the frame's best one was not followed, and what is left of it says nothing.
    """
    gaps = (observations.source - observations.target).abs()
    trust = observations.weights.mean(dim=1)
    shares = []
    for frame in range(observations.frames):
        edges = torch.nonzero(observations.source == frame).flatten()
        if len(edges) == 0:
            continue
        edges = edges[trust[edges] >= FOLLOWED * trust[edges].max()]
        edge = edges[gaps[edges].argmax()]
        weights = observations.weights[edge]
        shares.append((weights * (error[edge] < tolerance)).sum() / weights.sum().clamp_min(1e-9))
    return float(torch.stack(shares).median()) if shares else 1.0


def has_texture(gray: UInt8[np.ndarray, "h w"]) -> bool:
    """Whether an image has anything to follow."""
    image = gray.astype(np.float32)
    steps = [np.abs(np.diff(image, axis=axis)) > MIN_GRADIENT for axis in (0, 1)]
    return any(s.size > 0 and float(s.mean()) > MIN_TEXTURE for s in steps)


def prior_depth(height: int, width: int) -> Float[Tensor, "h w"]:
    """Smooth depth of median 1: a ground that recedes from the bottom edge up, and distance above."""
    rows = (torch.arange(height, dtype=torch.float32) + 0.5) / height
    inverse = 0.4 + 1.2 * torch.sigmoid(6 * (rows - 0.5))
    depth = (1 / inverse)[:, None].expand(height, width)
    return (depth / depth.median()).contiguous()
