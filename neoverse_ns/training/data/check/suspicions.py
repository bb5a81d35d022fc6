"""What may be wrong with a data set's numbers, each with a way to set it right and see whether pictures agree then."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch

from neoverse_ns.geometry.projection import pixel_centres
from neoverse_ns.training.data.check.measures import Measures, Observed
from neoverse_ns.training.data.check.pair import Pair
from neoverse_ns.training.data.motion.view import View

ENOUGH = 0.5
"""Pixels of flow by which what is said of frames may differ from what is measured (the median)."""
DEEP_ENOUGH = 0.05
"""Share by which depth may differ between frames (the median)."""
_BETTER = 0.5
"""A suspicion must leave less than this share of the difference."""
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
        Suspicion("depth is the distance along the ray where z-depth is needed", "still", _distance),
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
    wrong = []
    for about, what in (("still", "what stands still"), ("moving", "what moves")):
        own = typical([getattr(m, about) for m in found])
        if math.isnan(own) or own <= ENOUGH:
            continue
        best, least = None, _BETTER * own
        for suspicion in suspicions():
            if suspicion.about != about:
                continue
            error = typical([_tried(s, o, suspicion, p) for p, s, o in zip(pairs, found, seen, strict=True)])
            # A tenth better is no reason to leave a simpler one.
            if error < least * (1.0 if best is None else 0.9):
                best, least = suspicion, error
        reason = f"{best.words} (then {least:.2f})" if best else "no reason was recognised: look at the pictures"
        far = f"by {own:.2f} pixels of flow" if math.isfinite(own) else "so far that it lies behind the other camera"
        wrong.append(f"{what} is off {far}: {reason}")
        if about == "still":
            # Cameras decide where everything is seen; what moves cannot be judged before they are right.
            return wrong
    depth = typical([m.depth for m in found])
    if depth > DEEP_ENOUGH:
        wrong.append(
            f"depth differs by {100 * depth:.0f} % between frames, though it moves as it should: is each scaled?"
        )
    return wrong


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
