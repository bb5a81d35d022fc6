"""Clips that show no parallax: a single image, a camera that stands still, one that only turns, one that only zooms.

Their depth cannot be measured, so it comes from a prior: ground below, distance above, as in most photographs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from neoverse_ns.reconstruct.bundle.cameras.bundle_adjustment import Adjustment, AdjustmentSettings, adjust
from neoverse_ns.reconstruct.bundle.cameras.observations import Observations, thinned
from neoverse_ns.reconstruct.bundle.cameras.rotation import rotation_start
from neoverse_ns.reconstruct.bundle.cameras.state import LensUnknowns, State
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.parallel import map_on_cores

STILL = 0.6
"""Displacement in pixels over the longest gap below which a point counts as not moving."""
TURNING = 1.0
"""Residual in pixels below which a rotation explains a point's flow."""
FOLLOWED = 0.5
"""Share of the trust in a frame's best pair that a wider pair must keep to be cues for or against parallax."""
ZOOMING, ZOOM_RANGE, BEYOND_TURNING = 0.92, 1.05, 0.1
"""Share of the confident flow that a zoom must explain, ratio of its longest to its shortest focal length, and share by
which it must explain more than a turn. A walk before a distant scene looks like a zoom for the most part."""
ZOOM_STEPS = 12
"""Levenberg-Marquardt steps of a first look on a thinned grid."""
NO_TEXTURE = "no parallax: the frames show no texture to follow"
PRIOR_CONFIDENCE = 0.3
"""Trust in depth that comes from the prior alone."""
MIN_GRADIENT, MIN_TEXTURE = 4.0, 0.005
"""An image has texture if this share of its pixels differs from a neighbour by so many grey levels."""


@dataclass(frozen=True)
class NoParallax:
    """Why a clip shows no parallax, and the cameras that explain it.

    Attributes:
        kind: "static", "rotation" or "zoom".
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
        return NoParallax("static", NO_TEXTURE, still, motion, False)
    if explained_share(observations, motion, STILL) >= config.no_parallax_inliers:
        return NoParallax("static", "no parallax: the camera stands still", still, motion, False)
    turn = turning_cameras(observations, config)
    turned = explained_share(observations, turn[1], TURNING)
    if turned >= config.no_parallax_inliers:
        known = config.fov_degrees is None
        return NoParallax("rotation", "no parallax: the camera turns without moving", *turn, known)
    zoom = zooming_cameras(observations, turn[0], turned, config)
    if zoom is None:
        return None
    return NoParallax("zoom", "no parallax: the camera zooms and turns without moving", *zoom, False)


def standing_still(frames: int, points: int, config: BundleConfig) -> State:
    """All cameras at the origin, with the focal length given or assumed, and nothing near."""
    return State(
        torch.eye(4, dtype=torch.float64).repeat(frames, 1, 1),
        torch.zeros(frames, points, dtype=torch.float64),
        torch.full((frames,), config.known_focal or config.focal_prior, dtype=torch.float64),
    )


def turning_cameras(observations: Observations, config: BundleConfig) -> tuple[State, Float[Tensor, "e p"]]:
    """Rotations and focal length that explain the flow best without any translation, and the error in pixels."""
    settings = _turning(config)

    def solve(guess: float) -> Adjustment:
        return adjust(observations, rotation_start(observations, guess), settings)

    guesses = (config.known_focal,) if config.known_focal else config.focal_guesses
    best = min(map_on_cores(solve, guesses), key=lambda result: result.cost)
    return best.state, best.error


def zooming_cameras(
    observations: Observations, turned: State, share: float, config: BundleConfig
) -> tuple[State, Float[Tensor, "e p"]] | None:
    """Rotations and focal lengths of a zoom that explains nearly all flow, and the error in pixels; None if none does.

    How long the focal lengths are is hardly told by a zoom, only how they change.

    Args:
        observations: Flow of all pairs, in both directions.
        turned: What a turn alone makes of it.
        share: Of the flow that it explains.
        config: Settings; a zoom has no one field of view, so where that is given none is looked for.
    """
    if config.known_focal is not None or config.lens == "pinhole":
        return None
    thin, keep = thinned(observations)
    settings = replace(_turning(config), lens=LensUnknowns(zoom=True))
    start = replace(turned, inverse_depth=turned.inverse_depth[:, keep])
    sketch = adjust(thin, start, replace(settings, iterations=ZOOM_STEPS))
    if explained_share(thin, sketch.error, TURNING) < max(config.no_parallax_inliers, share + BEYOND_TURNING):
        return None
    found = adjust(observations, replace(turned, poses=sketch.state.poses, focal=sketch.state.focal), settings)
    focal = found.state.focal
    enough = explained_share(observations, found.error, TURNING) >= max(ZOOMING, share + BEYOND_TURNING)
    return (found.state, found.error) if enough and float(focal.max() / focal.min()) >= ZOOM_RANGE else None


def _turning(config: BundleConfig) -> AdjustmentSettings:
    return AdjustmentSettings(
        iterations=config.coarse_iterations,
        kernel=(config.kernel_wide, config.kernel_narrow),
        smoothness=0.0,
        prior=(config.focal_prior, config.focal_prior_spread, config.focal_prior_weight),
        solve_focal=config.known_focal is None,
        solve_translation=False,
    )


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
