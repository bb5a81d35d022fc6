"""What may be wrong with a data set's numbers, each with a way to set it right and see whether pictures agree then."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch

from neoverse_ns.geometry.projection import pixel_centres
from neoverse_ns.training.data.check.measures import Measures, Observed, measure
from neoverse_ns.training.data.check.pair import Pair
from neoverse_ns.training.data.motion.view import View

ENOUGH = 0.5
"""Pixels of flow by which what is said of frames may differ from what is measured (the median)."""
UNEXPLAINED = 2.0
"""The same where no suspicion explains it: flow measured in small pictures, or of small things, is no better."""
DEEP_ENOUGH = 0.05
"""Share by which depth may differ between frames (the median)."""
_BETTER = 0.5
"""A suspicion must leave less than this share of the difference."""
_ALIKE = 0.002
"""Share by which depth of good data differs between frames at most."""
_MUCH_BETTER = 0.3
"""Distance along the ray is told from z-depth, to which it is close in narrow pictures, by so much less difference."""
_DISTANCE = "depth is the distance along the ray where z-depth is needed"
_OPENGL = torch.diag(torch.tensor([1.0, -1.0, -1.0, 1.0], dtype=torch.float64))
_FACTORS = (1e-3, 1e-2, 0.1, 0.2, 0.5, 0.8, 1.25, 2.0, 5.0, 10.0, 1e2, 1e3)

About = Literal["still", "moving"]


@dataclass(frozen=True)
class Suspicion:
    """One thing that may be wrong.

    Attributes:
        words: Said where it is.
        about: Which measure it should mend.
        mended: The pair as it should be; None where that cannot be tried.
    """

    words: str
    about: About
    mended: Callable[[Pair], Pair | None]


def suspicions() -> list[Suspicion]:
    """All of them; simpler ones first, which win where two explain as much."""
    scaled = [
        Suspicion(f"depth is in another unit than the poses: times {factor:g} it fits about", "still", _times(factor))
        for factor in _FACTORS
    ]
    return [
        Suspicion("poses are inverted: they are world-to-camera where camera-to-world is needed", "still", _inverted),
        Suspicion("poses have OpenGL's axes (y up, z backward) instead of OpenCV's", "still", _opengl),
        Suspicion("poses are world-to-camera, and have OpenGL's axes", "still", _both),
        Suspicion(_DISTANCE, "still", _distance),
        Suspicion("intrinsics are for pictures of another size", "still", _resized),
        *scaled,
        Suspicion("forward and backward motion are exchanged", "moving", _exchanged),
        Suspicion("motion has the opposite sign", "moving", _negated),
        Suspicion("motion is in the camera's axes where the world's are needed", "moving", _turned),
        Suspicion("motion is missing: what is said to move is better explained as standing", "moving", _stopped),
    ]


def what_is_wrong(pairs: Sequence[Pair], seen: Sequence[Observed], found: Sequence[Measures]) -> list[str]:
    """Sentences on what contradicts the pictures, with the likeliest reason of each; none where all agrees.

    Args:
        pairs: Frames.
        seen: Flow in them.
        found: What :func:`measure` says of them.
    """
    # Cameras and depth decide where everything is seen; what moves cannot be judged before they are right.
    return (
        _flow_wrong("still", "what stands still", pairs, seen, found)
        or _depth_wrong(pairs, seen, found)
        or _flow_wrong("moving", "what moves", pairs, seen, found)
    )


def _flow_wrong(
    about: About, what: str, pairs: Sequence[Pair], seen: Sequence[Observed], found: Sequence[Measures]
) -> list[str]:
    own = typical([getattr(measures, about) for measures in found])
    if math.isnan(own) or own <= ENOUGH:
        return []
    best, least = None, _BETTER * own
    for suspicion in suspicions():
        if suspicion.about != about:
            continue
        error = typical([_tried(m, o, suspicion, p) for p, m, o in zip(pairs, found, seen, strict=True)])
        # A tenth better is no reason to leave a simpler one.
        if error < least * (1.0 if best is None else 0.9):
            best, least = suspicion, error
    if best is None and own <= UNEXPLAINED:
        return []
    reason = f"{best.words} (then {least:.2f})" if best else "no reason was recognised: look at the pictures"
    far = f"by {own:.2f} pixels of flow" if math.isfinite(own) else "so far that it lies behind the other camera"
    return [f"{what} is off {far}: {reason}"]


def _depth_wrong(pairs: Sequence[Pair], seen: Sequence[Observed], found: Sequence[Measures]) -> list[str]:
    """Of depth that does not fit itself, though by flow it is good enough."""
    depth = typical([measures.depth for measures in found])
    if math.isnan(depth) or depth <= _ALIKE:
        return []
    told = f"depth differs by {100 * depth:.1f} % between frames"
    along = typical([measure(_distance(p), o).depth for p, o in zip(pairs, seen, strict=True)])
    if along < _MUCH_BETTER * depth:
        return [f"{told}: {_DISTANCE} (then {100 * along:.1f} %)"]
    return [f"{told}, though by flow it fits: is it noisy, or scaled by frame?"] if depth > DEEP_ENOUGH else []


def typical(values: Sequence[float]) -> float:
    """The median of those that are known; NaN of none."""
    known = sorted(value for value in values if not math.isnan(value))
    return known[len(known) // 2] if known else math.nan


def _tried(found: Measures, observed: Observed, suspicion: Suspicion, pair: Pair) -> float:
    mended = suspicion.mended(pair)
    if mended is None or math.isnan(getattr(found, suspicion.about)):
        return math.nan
    # Which pixels are compared must not depend on what is suspected.
    chosen = observed.sure & (pair.still if suspicion.about == "still" else pair.moving)
    target, z = mended.target()
    known = mended.view.known & (z > 0) & torch.isfinite(target).all(-1)
    flow = target - pixel_centres(*pair.view.size, torch.float64)
    off = torch.where(known, (flow - observed.flow).norm(dim=-1), math.inf)[chosen]
    return float(off.median()) if len(off) else math.nan


def _posed(change: Callable[[View], View]) -> Callable[[Pair], Pair]:
    return lambda pair: pair.with_cameras(change(pair.view), change(pair.other))


_inverted = _posed(lambda view: View(view.depth, view.K, torch.linalg.inv(view.c2w)))
_opengl = _posed(lambda view: View(view.depth, view.K, view.c2w @ _OPENGL))
_both = _posed(lambda view: View(view.depth, view.K, torch.linalg.inv(view.c2w) @ _OPENGL))


def _distance(pair: Pair) -> Pair:
    def z_depth(view: View) -> View:
        focal = torch.stack([view.K[0, 0], view.K[1, 1]])
        ray = (pixel_centres(*view.size, torch.float64) - view.K[:2, 2]) / focal
        return View((view.depth.double() / (1 + ray.square().sum(-1)).sqrt()).float(), view.K, view.c2w)

    return pair.with_cameras(z_depth(pair.view), z_depth(pair.other))


def _resized(pair: Pair) -> Pair | None:
    """Intrinsics brought to the pictures' size, as far as the principal point tells for what size they are."""

    def fitted(view: View) -> View:
        height, width = view.size
        factors = torch.tensor([width, height, 2.0], dtype=torch.float64) / (2 * view.K[:, 2])
        return View(view.depth, factors[:, None] * view.K, view.c2w)

    K, (height, width) = pair.view.K, pair.view.size
    if abs(2 * float(K[0, 2]) / width - 1) < 0.1 and abs(2 * float(K[1, 2]) / height - 1) < 0.1:
        return None
    return pair.with_cameras(fitted(pair.view), fitted(pair.other))


def _times(factor: float) -> Callable[[Pair], Pair]:
    return _posed(lambda view: View(view.depth * factor, view.K, view.c2w))


def _exchanged(pair: Pair) -> Pair | None:
    return None if pair.exchanged is None else replace(pair, moved=pair.exchanged)


def _negated(pair: Pair) -> Pair:
    return replace(pair, moved=-pair.moved)


def _turned(pair: Pair) -> Pair:
    return replace(pair, moved=pair.moved @ pair.view.c2w[:3, :3].T)


def _stopped(pair: Pair) -> Pair:
    return replace(pair, moved=torch.zeros_like(pair.moved))
