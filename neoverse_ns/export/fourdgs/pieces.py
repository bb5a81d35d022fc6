"""Gaussians of keyframes, which move and fade to both sides, as rows that do either simply or not at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64
from numpy import ndarray

from neoverse_ns.export.fourdgs.clock import TICK, Clock, rounded
from neoverse_ns.export.fourdgs.fade import FadeTable
from neoverse_ns.export.fourdgs.rows import Rows, joined
from neoverse_ns.gaussians.dynamic import DynamicGaussians

STILL = 0.1
"""Share of its middle extent by which a Gaussian may be beside its place, so that fewer or simpler rows do."""
UNTURNED = 0.05
"""Radians likewise."""


@dataclass(frozen=True)
class Keyframed:
    """What decides where and when; one per Gaussian, times in seconds.

    Attributes:
        source: Row in the scene.
        means: At the keyframe.
        extents: Middle one of the three scales.
        life_spans: See :func:`neoverse_ns.gaussians.transition.fade`.
        at: The keyframe.
        gaps: To the next `[:, 0]` and the previous `[:, 1]` keyframe.
        moves: Displacement over each gap.
        turns: Rotation vector over each gap.
    """

    source: Int64[ndarray, " n"]
    means: Float64[ndarray, "n 3"]
    extents: Float64[ndarray, " n"]
    life_spans: Float64[ndarray, " n"]
    at: Float64[ndarray, " n"]
    gaps: Float64[ndarray, "n 2"]
    moves: Float64[ndarray, "n 2 3"]
    turns: Float64[ndarray, "n 2 3"]


def keyframed(gaussians: DynamicGaussians, source: Int64[ndarray, " n"], clock: Clock) -> Keyframed:
    """The dynamic Gaussians `source` of a scene, in its file's seconds."""
    before, at, after = (clock.of(values.numpy()) for values in gaussians.interval.unbind(-1))
    return Keyframed(
        source=source,
        means=gaussians.means.double().numpy(),
        extents=gaussians.scales.median(dim=-1).values.double().numpy(),
        life_spans=gaussians.life_spans.double().numpy(),
        at=at,
        gaps=np.stack([after - at, at - before], axis=1),
        moves=gaussians.velocities.double().numpy(),
        turns=gaussians.angular_velocities.double().numpy(),
    )


def pieces(g: Keyframed, clock: Clock, table: FadeTable, nearest_only: bool) -> Rows:
    """Rows of all Gaussians: flat pieces beside their keyframes, one for both sides where that is the same, and fades.

    Args:
        g: The Gaussians.
        clock: Of the file.
        table: Of fades.
        nearest_only: They end half-way to the neighbouring keyframe.
    """
    sides = [_Side(g, clock, table, which, nearest_only) for which in (0, 1)]
    as_one = _same_on_both_sides(g, sides)
    flats = [side.flat()[~as_one & (side.flat_end > 0)] for side in sides]
    fades = [side.fade()[side.flat_end < side.last] for side in sides]
    return joined([_both(g, sides)[as_one], *flats, *fades])


class _Side:
    """All Gaussians toward the next (0) or the previous (1) keyframe; distances are shares of the gap."""

    def __init__(self, g: Keyframed, clock: Clock, table: FadeTable, which: int, nearest_only: bool) -> None:
        self.g = g
        self.gap = g.gaps[:, which]
        self.sign = 1 - 2 * which
        self.move, self.turn = g.moves[:, which], g.turns[:, which]
        room = clock.duration - g.at if which == 0 else g.at
        self.last = np.minimum(room / self.gap, 0.5 if nearest_only else 1.0)
        wanted = table.flat_of(g.life_spans)
        ends = self.sign * (clock.snapped(g.at + self.sign * wanted * self.gap) - g.at) / self.gap
        self.flat_end = np.clip(ends, 0.0, self.last)
        # A flat piece that all but reaches the end goes all the way.
        self.flat_end[self.last - self.flat_end < 1e-3] = self.last[self.last - self.flat_end < 1e-3]
        self.width = table.width_of(g.life_spans, self.flat_end) * self.gap

    def second(self, distance: ndarray) -> ndarray:
        return rounded(self.g.at + self.sign * distance * self.gap)

    def velocity(self) -> ndarray:
        return self.sign * self.move / self.gap[:, None]

    def flat(self) -> Rows:
        return self._rows(0 * self.flat_end, self.flat_end, self.flat_end / 2, np.full(len(self.gap), np.inf))

    def fade(self) -> Rows:
        seen = np.minimum(self.width / self.gap, self.last - self.flat_end)
        return self._rows(self.flat_end, self.last, self.flat_end + seen / 2, self.width)

    def _rows(self, first: ndarray, last: ndarray, typical: ndarray, width: ndarray) -> Rows:
        """Rows from distance `first` to `last`, turned as at the distance `typical`."""
        near, far = self.second(first), self.second(last)
        begin, end = (near, far) if self.sign > 0 else (far, near)
        velocity = self.velocity()
        still = np.linalg.norm(velocity, axis=1) * (end - begin) < STILL * self.g.extents
        middle = self.g.means + (first + last)[:, None] / 2 * self.move
        fades = np.isfinite(width)
        time = np.where(fades, near, np.rint(near / TICK) * TICK)
        there = self.g.means + (self.sign * (time - self.g.at) / self.gap)[:, None] * self.move
        return Rows(
            source=self.g.source,
            centres=np.where(still[:, None], middle, there),
            turns=typical[:, None] * self.turn,
            velocities=np.where(still[:, None], 0.0, velocity),
            time=np.where(still & ~fades, 0.0, time),
            width=width,
            begin=begin,
            end=end,
        )


def _same_on_both_sides(g: Keyframed, sides: list[_Side]) -> Bool[ndarray, " n"]:
    """Whose flat pieces make one, because it hardly moves or goes straight on."""
    velocity = _straight(g)
    same = np.ones(len(g.at), dtype=bool)
    for side in sides:
        length = side.flat_end * side.gap
        same &= np.linalg.norm(side.velocity() - velocity, axis=1) * length < STILL * g.extents
        same &= np.linalg.norm(side.turn, axis=1) * side.flat_end < UNTURNED
        same &= side.flat_end > 0
    return same


def _straight(g: Keyframed) -> ndarray:
    """Velocity from the previous keyframe to the next."""
    return (g.moves[:, 0] - g.moves[:, 1]) / g.gaps.sum(axis=1)[:, None]


def _both(g: Keyframed, sides: list[_Side]) -> Rows:
    """Rows from the end of the flat piece before the keyframe to that of the one after."""
    velocity = _straight(g)
    end, begin = (side.second(side.flat_end) for side in sides)
    still = np.linalg.norm(velocity, axis=1) * (end - begin) < STILL * g.extents
    time = np.where(still, 0.0, np.rint(g.at / TICK) * TICK)
    there = g.means + (time - g.at)[:, None] * velocity
    return Rows(
        source=g.source,
        centres=np.where(still[:, None], g.means, there),
        turns=np.zeros_like(g.means),
        velocities=np.where(still[:, None], 0.0, velocity),
        time=time,
        width=np.full(len(g.at), np.inf),
        begin=begin,
        end=end,
    )
