"""Points of moving things from frame to frame, forward and back.

Every frame is reached from several earlier ones, near and far, and of these ways the surest is taken (as in Neoral et
al., "MFT: Long-Term Tracking of Every Pixel", WACV 2024). Steps are those of the point's own thing around it, and where
the picture shows the patch that the point was given with, it decides, so that errors do not add up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64
from numpy import ndarray

from neoverse_ns.applications.track.local_motion import LocalMotion, sample
from neoverse_ns.applications.track.pair_motion import PairMotion
from neoverse_ns.applications.track.templates import Templates

MOST_ERROR = 25.0
"""Bound on the squared error of a round trip, pixels^2: beyond, it is simply lost."""
THIN = 0.09
"""Evidence below which a motion is extrapolated."""
THIN_DOUBT = 0.005
"""Variance in pixels^2 that extrapolated motion is given, times the inverse of its evidence."""
FOUND = 0.05
"""Variance in pixels^2 of a place that was measured against the point's own patch."""


@dataclass(frozen=True)
class Paths:
    """Paths of points in the picture.

    Attributes:
        uv: Places in pixels, in every frame, seen or not.
        doubt: Variance of these, pixels^2.
        bend: How a small step from the point comes out in the frame.
        found: Where the point's patch was found again.
    """

    uv: Float[ndarray, "n p 2"]
    doubt: Float[ndarray, "n p"]
    bend: Float[ndarray, "n p 2 2"]
    found: Bool[ndarray, "n p"]


def follow(
    xy: Float[ndarray, "p 2"],
    frame: Int64[ndarray, " p"],
    thing: Int64[ndarray, " p"],
    motion: PairMotion,
    templates: Templates | None,
) -> Paths:
    """Follow points of moving things through all frames.

    Args:
        xy: Where they are, pixels.
        frame: In which frame.
        thing: What they are a part of.
        motion: Between frames.
        templates: Finds their patches again; None does not look.
    """
    count, points = len(motion.views), len(frame)
    paths = Paths(
        np.zeros((count, points, 2)),
        np.full((count, points), np.inf),
        np.zeros((count, points, 2, 2)),
        np.zeros((count, points), bool),
    )
    everyone = np.arange(points)
    paths.uv[frame, everyone], paths.doubt[frame, everyone] = xy, 0.0
    paths.bend[frame, everyone], paths.found[frame, everyone] = np.eye(2), True
    for step in (1, -1):
        for target in range(count)[::step]:
            moving = np.nonzero((target - frame) * step > 0)[0]
            if len(moving):
                _advance(paths, moving, frame, thing, target, step, motion)
                if templates is not None:
                    _anchor(paths, moving, target, templates)
    return paths


def _advance(
    paths: Paths,
    points: Int64[ndarray, " m"],
    frame: Int64[ndarray, " p"],
    thing: Int64[ndarray, " p"],
    target: int,
    step: int,
    motion: PairMotion,
) -> None:
    """Bring `points` to the frame `target` by the surest step."""
    for source in motion.sources(target, step):
        started = points[(source - frame[points]) * step >= 0]
        back = motion.back(source, target)
        for number in np.unique(thing[started]).tolist():
            rows = started[thing[started] == number]
            field = motion.thing(source, target, number)
            if field is not None:
                _step(paths, rows, source, target, field, back, motion.doubt(source, target))
    lost = points[~np.isfinite(paths.doubt[target, points])]
    _go_on(paths, lost, frame, target, step)


def _step(
    paths: Paths,
    rows: Int64[ndarray, " m"],
    source: int,
    target: int,
    field: LocalMotion,
    back: Float[ndarray, "h w 2"],
    doubt: float,
) -> None:
    here = paths.uv[source, rows]
    moved, slope, evidence = field.at(here)
    there = here + moved
    error = ((moved + sample(back, there)) ** 2).sum(1).clip(max=MOST_ERROR)
    thin = np.where(evidence < THIN, THIN_DOUBT / evidence.clip(1e-6), 0.0)
    total = paths.doubt[source, rows] + error + thin.clip(max=MOST_ERROR) + doubt
    better = (total < paths.doubt[target, rows]) & (evidence > 0)
    chosen = rows[better]
    paths.uv[target, chosen], paths.doubt[target, chosen] = there[better], total[better]
    paths.bend[target, chosen] = (np.eye(2) + slope[better]) @ paths.bend[source, chosen]


def _go_on(paths: Paths, rows: Int64[ndarray, " m"], frame: Int64[ndarray, " p"], target: int, step: int) -> None:
    """Things that show nothing of themselves go on as they came."""
    last = target - step
    before = last - step
    known = (last - frame[rows]) * step >= 1
    pace = np.where(known[:, None], paths.uv[last, rows] - paths.uv[before % len(paths.uv), rows], 0.0)
    paths.uv[target, rows] = paths.uv[last, rows] + pace
    paths.doubt[target, rows] = paths.doubt[last, rows] + MOST_ERROR
    paths.bend[target, rows] = paths.bend[last, rows]


def _anchor(paths: Paths, points: Int64[ndarray, " m"], target: int, templates: Templates) -> None:
    """Where the points' own patches are found, they are there."""
    guess, bend = paths.uv[target, points], paths.bend[target, points]
    places, found = templates.find(points, target, guess, paths.doubt[target, points], bend)
    paths.uv[target, points] = places
    paths.found[target, points] = found
    paths.doubt[target, points[found]] = np.minimum(paths.doubt[target, points[found]], FOUND)
