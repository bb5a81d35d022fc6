"""One smooth path in depth for every thing.

Each keyframe by itself says roughly, and at times quite wrongly, how far a thing is. But a thing moves evenly, keeps
its size, lies before what it hides and behind what hides it: the path that fits all of that best, in absolute
deviations, settles where most keyframes say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from neoverse_ns.reconstruct.bundle.motion.band_solver import solve_chains
from neoverse_ns.reconstruct.bundle.motion.sightings import Sighting
from neoverse_ns.reconstruct.bundle.motion.size_changes import Link, Order

SIZE_ERROR = 0.04
"""Typical error of a measured change of size, as a logarithm."""
UNEVENNESS = 0.06
"""Typical change of a step of log depth from one pair of keyframes to the next."""
SPEED = 0.25
"""Typical step of log depth between neighbouring keyframes, where nothing is measured."""
AGREEMENT = 0.03
"""Deviation below which what a keyframe says pulls no less: it makes the sum of absolute deviations smooth."""
OUTLYING = 3.0
"""Multiple of a typical error at which measurements begin to lose their weight."""
BOUND = 0.2
"""Typical error of the bound that the still surface sets, as a logarithm: a mover that was missed in other keyframes
passes for a still surface there."""
BURIED = 3.0
"""How many times as unlikely it is that a thing lies beyond where it seems to stand as that it lies before it: lifted
and missed feet make it stand farther away than it does, and nothing nearer."""
ORDER = 0.05
"""Typical error of the order of two things of which one hides the other."""
APART = 0.02
"""By how much the hidden one of two things lies farther, at least, as a logarithm."""
KIN = 0.15
"""Typical distance of a piece from the thing that it came apart from, as a logarithm."""
ROUNDS = 40
"""Reweighted solves at most."""
SURE = 1 / 0.08**2
"""Certainty that no path through the views can exceed: what fools it in one keyframe fools it in the next."""
SETTLED = 1e-3
"""Change of a logarithmic depth below which they end."""
LEAST_WEIGHT = 1e-6
"""Weight with which things stay where they start, which decides where nothing else does."""


def settle_depths(
    sightings: list[list[Sighting]],
    links: list[Link],
    orders: list[Order],
    present: Bool[ndarray, "things k"],
    kin: Int[ndarray, " things"],
    times: Float[ndarray, " k"],
) -> Float[ndarray, "things k"]:
    """Logarithms of z-depth of the things' middles in all keyframes; between sightings they are interpolated.

    Args:
        sightings: What each keyframe says by itself.
        links: Changes of size.
        orders: Who hides whom.
        present: In which keyframes each thing is seen.
        kin: From which thing each came apart; 0 for none.
        times: When the keyframes were taken, in any unit.
    """
    said = _Said.of(sightings, present)
    paths, chain = said.start(present), _Chain.of(links, present, times)
    for _ in range(ROUNDS):
        weight, pull = said.pulls(paths)
        for more_weight, more_pull in (_order_pulls(paths, orders), _kin_pulls(paths, kin, present)):
            weight, pull = weight + more_weight, pull + more_pull
        before, paths = paths, chain.solve(paths, weight, pull)
        if np.abs(paths - before).max(initial=0.0) < SETTLED:
            break
    return paths


Pulls = tuple[Float[ndarray, "things k"], Float[ndarray, "things k"]]
"""Weights, and weights times the value that they pull to."""


@dataclass(frozen=True)
class _Said:
    """What sightings say, by thing and keyframe; weights are 0 where they say nothing."""

    ground: Float[ndarray, "things k"]
    ground_pull: Float[ndarray, "things k"]
    path: Float[ndarray, "things k"]
    certainty: Float[ndarray, "things k"]
    known: Float[ndarray, "things k"]
    middle: Float[ndarray, "things k"]
    farthest: Float[ndarray, "things k"]
    stands: Bool[ndarray, "things k"]

    @staticmethod
    def of(sightings: list[list[Sighting]], present: Bool[ndarray, "things k"]) -> _Said:
        ground, ground_pull, path, certainty, known, middle = (np.zeros(present.shape) for _ in range(6))
        said = _Said(
            ground, ground_pull, path, certainty, known, middle, np.full(present.shape, np.inf), present.copy()
        )
        for place, seen in enumerate(sightings):
            for one in seen:
                at = one.thing, place
                said.farthest[at], said.known[at] = one.farthest, one.known
                said.middle[at], said.stands[at] = one.middle, one.stands
                said.path[at], said.certainty[at] = one.path, min(one.path_certainty, SURE)
                if np.isfinite(one.ground):
                    said.ground[at], said.ground_pull[at] = one.ground, 1 / one.ground_error
        return said

    def start(self, present: Bool[ndarray, "things k"]) -> Float[ndarray, "things k"]:
        """Constant distances: the weighted medians of all that is said of a thing, or else what its shape has."""
        paths = np.zeros(self.ground.shape)
        for thing, seen in enumerate(present):
            if not seen.any():
                continue
            values = np.concatenate([self.ground[thing], self.path[thing]])
            weights = np.concatenate([self.ground_pull[thing], self.certainty[thing] ** 0.5])
            if weights.sum() > 0:
                order = values.argsort()
                along = weights[order].cumsum()
                paths[thing] = values[order][np.searchsorted(along, along[-1] / 2)]
            else:
                paths[thing] = np.median(np.minimum(self.middle, self.farthest)[thing][seen])
        return paths

    def pulls(self, paths: Float[ndarray, "things k"]) -> Pulls:
        """Toward what is said, as far as it is believed beside these paths."""
        ground = self.ground_pull / np.maximum(np.abs(paths - self.ground), AGREEMENT)
        ground = np.where(self.stands & (paths > self.ground), BURIED * ground, ground)
        path = self.certainty / (1 + self.certainty * ((paths - self.path) / OUTLYING) ** 2)
        bound = self.known * (paths > self.farthest) / BOUND / np.maximum(paths - self.farthest, AGREEMENT)
        farthest = np.where(np.isfinite(self.farthest), self.farthest, 0.0)
        weight = ground + path + bound + LEAST_WEIGHT
        return weight, ground * self.ground + path * self.path + bound * farthest + LEAST_WEIGHT * paths


def _order_pulls(paths: Float[ndarray, "things k"], orders: list[Order]) -> Pulls:
    """Apart, where who is hidden seems to be in front."""
    weight, pull = np.zeros(paths.shape), np.zeros(paths.shape)
    for order in orders:
        front, back = (order.front, order.place), (order.back, order.place)
        if paths[front] + APART > paths[back]:
            middle = (paths[front] + paths[back]) / 2
            for at, target in ((front, middle - APART / 2), (back, middle + APART / 2)):
                weight[at] += 1 / ORDER**2
                pull[at] += target / ORDER**2
    return weight, pull


def _kin_pulls(
    paths: Float[ndarray, "things k"], kin: Int[ndarray, " things"], present: Bool[ndarray, "things k"]
) -> Pulls:
    """Of pieces toward the thing that they came apart from, while both are seen."""
    weight, pull = np.zeros(paths.shape), np.zeros(paths.shape)
    for piece in np.flatnonzero(kin):
        away = paths[piece] - paths[kin[piece]]
        weight[piece] = (present[piece] & present[kin[piece]]) / KIN**2 / (1 + (away / (OUTLYING * KIN)) ** 2)
        pull[piece] = weight[piece] * paths[kin[piece]]
    return weight, pull


@dataclass(frozen=True)
class _Chain:
    """What ties the keyframes of one thing together.

    Attributes:
        links: Whether the change of size from each keyframe to the next, and to the one after that, was measured.
        growth: That change.
        gaps: Time to the next keyframe, in mean ones.
    """

    links: tuple[Bool[ndarray, "things a"], Bool[ndarray, "things b"]]
    growth: tuple[Float[ndarray, "things a"], Float[ndarray, "things b"]]
    gaps: Float[ndarray, " a"]

    @staticmethod
    def of(links: list[Link], present: Bool[ndarray, "things k"], times: Float[ndarray, " k"]) -> _Chain:
        things, count = present.shape
        shapes = (things, max(count - 1, 0)), (things, max(count - 2, 0))
        found = np.zeros(shapes[0], bool), np.zeros(shapes[1], bool)
        growth = np.zeros(shapes[0]), np.zeros(shapes[1])
        for link in links:
            span = link.second - link.first - 1
            found[span][link.thing, link.first], growth[span][link.thing, link.first] = True, link.growth
        gaps = np.diff(times)
        return _Chain(found, growth, gaps / gaps.mean() if count > 1 else gaps)

    def solve(
        self, paths: Float[ndarray, "things k"], weight: Float[ndarray, "things k"], pull: Float[ndarray, "things k"]
    ) -> Float[ndarray, "things k"]:
        """The paths that fit `pull / weight`, the changes of size and an even motion best, weighed beside `paths`."""
        count = paths.shape[1]
        diagonal, right = weight.copy(), pull.copy()
        first, second = (np.zeros((len(paths), max(count - step, 0))) for step in (1, 2))
        for step, found, growth, beside in zip((1, 2), self.links, self.growth, (first, second), strict=True):
            if count <= step:
                continue
            strain = paths[:, step:] - paths[:, :-step] + growth
            tie = found / SIZE_ERROR**2 / (1 + (strain / (OUTLYING * SIZE_ERROR)) ** 2)
            if step == 1:
                tie_still = ~found / (SPEED * self.gaps) ** 2
                diagonal[:, :-1] += tie_still
                diagonal[:, 1:] += tie_still
                first -= tie_still
            diagonal[:, :-step] += tie
            diagonal[:, step:] += tie
            beside -= tie
            right[:, :-step] += tie * growth
            right[:, step:] -= tie * growth
        if count > 2:
            before, after = 1 / self.gaps[:-1], 1 / self.gaps[1:]
            bend = before * paths[:, :-2] - (before + after) * paths[:, 1:-1] + after * paths[:, 2:]
            stiff = 1 / UNEVENNESS**2 / (1 + (bend / (OUTLYING * UNEVENNESS)) ** 2)
            diagonal[:, :-2] += stiff * before**2
            diagonal[:, 1:-1] += stiff * (before + after) ** 2
            diagonal[:, 2:] += stiff * after**2
            first[:, :-1] -= stiff * before * (before + after)
            first[:, 1:] -= stiff * after * (before + after)
            second += stiff * before * after
        return solve_chains(diagonal, first, second, right)
