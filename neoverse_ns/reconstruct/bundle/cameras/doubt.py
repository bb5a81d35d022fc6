"""What speaks against cameras that were found: a small residual alone says nothing, wrong cameras have it as well.

Each reason names what the user can do about it. Bounds are set beside synthetic clips whose cameras are known and
walking clips whose cameras are right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.reconstruct.bundle.cameras.focal_interval import MEASURED, FocalInterval
from neoverse_ns.reconstruct.bundle.cameras.no_parallax import NO_TEXTURE
from neoverse_ns.reconstruct.bundle.cameras.observations import Observations
from neoverse_ns.reconstruct.bundle.cameras.parallax import CameraSolution
from neoverse_ns.reconstruct.bundle.cameras.rotation import angle_degrees
from neoverse_ns.reconstruct.bundle.cameras.state import State
from neoverse_ns.reconstruct.bundle.config import field_of_view

OFF = 1.0
"""Residual in pixels above which flow is not explained by cameras and depth."""
MANY, MOST = 0.24, 0.38
"""Shares of the confident flow that is not explained from which cameras are uncertain, and doubtful. Still scenes leave
2 to 6 %, streets with people 10 to 22 %; a shutter or an overlay that is not accounted for leaves 28 to 46 %."""
CROWDED, FILLS = 0.14, 0.25
"""The same share, and the share of one picture that moves in one piece, which together make cameras doubtful: they may
have followed what moves."""
SHAKES = 1.0
"""Degrees by which the turn of a shaking camera differs from step to step."""
FEW_USED = 0.12
"""Share of the picture below which confident flow says little."""
LITTLE_PARALLAX = 0.8
"""Degrees between the rays to a typical point below which distances along the path hardly show."""
APART = 0.02
"""Distance, as a share of the path, between two solutions that explain the clip about equally well."""
TELLING = 0.9
"""Share of the cost below which a bent lens that was not believed is told of."""
MANY_UNLINKED = 0.25
"""Share of the frames without a link to the others above which cameras are doubtful."""
UNUSUAL, UNLIKELY = (40.0, 100.0), (25.0, 118.0)
"""Degrees of horizontal field of view outside which a weakly known, and a measured one is doubted."""
FIX_FOV = "give the camera's horizontal field of view with --bundle.fov-degrees"
ELSEWHERE = "choose another stretch with --start and --duration"


@dataclass(frozen=True)
class Doubt:
    """How far cameras are to be trusted.

    Attributes:
        confidence: "good", "fair" or "poor".
        reasons: One sentence each, with a remedy; none where the confidence is good.
    """

    confidence: str = "good"
    reasons: tuple[str, ...] = ()

    def __or__(self, other: Doubt) -> Doubt:
        """Both doubts, and the lower confidence."""
        order = ("good", "fair", "poor")
        return Doubt(max(self.confidence, other.confidence, key=order.index), self.reasons + other.reasons)


def judge_cameras(solution: CameraSolution, fine: Observations, parallax_degrees: float) -> Doubt:
    """Weigh what the solution of a clip with parallax says about itself.

    Args:
        solution: Cameras, focal interval, how far the starts disagree.
        fine: The flow that they explain.
        parallax_degrees: Typical largest angle between the rays to a point.
    """
    state = solution.adjustment.state
    doubt = _doubt_about_fit(unexplained_share(fine, solution.adjustment.error), shaking_degrees(state))
    if float((fine.weights > 0.5).double().mean()) < FEW_USED:
        doubt |= Doubt("fair", ("little of the picture can be followed: use a sharper or better lit stretch",))
    if solution.disagreement > APART:
        words = f"camera paths {solution.disagreement:.0%} apart explain the clip about equally well: "
        doubt |= Doubt("fair", (f"{words}{FIX_FOV}, or choose a longer stretch",))
    if parallax_degrees < LITTLE_PARALLAX:
        words = "the camera hardly moves beside its distance to the scene: choose a stretch with a longer path"
        doubt |= Doubt("fair", (words,))
    return doubt | _doubt_about_rival(solution) | doubt_about_lens(state.mean_focal, solution.interval)


def _doubt_about_rival(solution: CameraSolution) -> Doubt:
    rival, focal = solution.lens.rival, solution.adjustment.state.mean_focal
    if rival is None or rival.explained > TELLING or abs(math.log(rival.state.mean_focal / focal)) < MEASURED:
        return Doubt()
    words = f"a lens that bends straight lines would explain the clip {1 - rival.explained:.0%} better: if lines that "
    return Doubt("fair", (f"{words}should be straight look bent, try --bundle.lens radial, else {FIX_FOV}",))


def doubt_about_depth(kind: str, focal_from: str, view: float, reason: str = "") -> Doubt:
    """What a clip without parallax cannot tell.

    Args:
        kind: "single", "static", "rotation" or "zoom".
        focal_from: Where the focal length comes from.
        view: Horizontal field of view in degrees.
        reason: Why there is no parallax.
    """
    if reason == NO_TEXTURE:
        words = "the frames show nothing to follow (black, plain or out of focus), so cameras and depth mean nothing: "
        return Doubt("poor", (f"{words}{ELSEWHERE}, or another clip",))
    words = f"without parallax (kind: {kind}) depth is a guess: choose a stretch where the camera travels, or name a "
    words += "depth network with --bundle.depth-model"
    lens = () if focal_from in ("given", "measured") else (f"the field of view is assumed: {FIX_FOV}",)
    if focal_from == "measured" and not UNLIKELY[0] <= view <= UNLIKELY[1]:
        lens = (f"a field of view of {view:.0f} degrees is unusual, as of a pan over a picture: {FIX_FOV}",)
    return Doubt("fair", (words, *lens))


def doubt_about_links(unlinked: int, frames: int, words: str) -> Doubt:
    """Frames whose cameras are guesses, with what to say of them."""
    if unlinked == 0:
        return Doubt()
    return Doubt("poor" if unlinked > MANY_UNLINKED * frames else "fair", (words,))


def _doubt_about_fit(unexplained: float, shaking: float) -> Doubt:
    if unexplained < MANY:
        return Doubt()
    words = f"{unexplained:.0%} of what can be followed does not move as a still scene would: "
    if unexplained >= MOST and shaking > SHAKES:
        words += "the camera shakes, and a rolling shutter that sees row after row bends its frames then; use a calmer "
        return Doubt("poor", (f"{words}stretch (--start, --duration)",))
    words += f"something moves along, or the lens differs from a straight one; {ELSEWHERE}, or cover it with --ignore"
    return Doubt("poor" if unexplained >= MOST else "fair", (words,))


def doubt_about_motion(unexplained: float, largest: float) -> Doubt:
    """Whether the cameras may have followed something that moves.

    Args:
        unexplained: Share of the confident flow that they do not explain.
        largest: Share of a picture that moves in one piece, the largest over the keyframes.
    """
    if unexplained < CROWDED or largest < FILLS:
        return Doubt()
    words = f"something that moves fills up to {largest:.0%} of the picture, and the cameras may have followed it: "
    return Doubt("poor", (f"{words}{ELSEWHERE}, or cover it with --ignore",))


def doubt_about_lens(focal: float, interval: FocalInterval | None) -> Doubt:
    """Whether the focal length over width is known and plausible; None for an interval stands for one that is given."""
    if interval is None:
        return Doubt()
    reasons = []
    view = field_of_view(focal)
    low, high = UNLIKELY if interval.source == "measured" else UNUSUAL
    if not low <= view <= high:
        words = f"a field of view of {view:.0f} degrees is unusual: a zoom, a cropped or stabilised picture, or a lens "
        reasons.append(f"{words}that bends lines would explain it; {FIX_FOV}")
    if interval.half_width > 2 * MEASURED:
        between = f"{field_of_view(interval.high):.0f} to {field_of_view(interval.low):.0f} degrees"
        words = "anything" if math.isinf(interval.half_width) else between
        reasons.append(f"the clip hardly tells the field of view ({words} would do), and depth hangs on it: {FIX_FOV}")
    return Doubt("fair", tuple(reasons)) if reasons else Doubt()


def unexplained_share(observations: Observations, error: Float[Tensor, "e p"]) -> float:
    """Share of the confident flow with a residual above `OFF` pixels."""
    weights = observations.weights
    return float((weights * (error > OFF)).sum() / weights.sum().clamp_min(1e-12))


def shaking_degrees(state: State) -> float:
    """Median angle by which a step's turn differs from that of the step before it."""
    R = state.poses[:, :3, :3]
    steps = R[1:] @ R[:-1].mT
    change = steps[1:] @ steps[:-1].mT
    return float(angle_degrees(change).median()) if len(change) else 0.0


def largest_piece(masks: Bool[Tensor, "k h w"]) -> float:
    """Largest share of a picture that one connected piece of its mask covers."""
    shares = [0.0]
    for mask in masks.numpy():
        _, _, facts, _ = cv2.connectedComponentsWithStats(mask.astype("uint8"))
        shares.append(float(facts[1:, cv2.CC_STAT_AREA].max(initial=0)) / mask.size)
    return max(shares)
