"""Moving regions of all keyframes, linked through time into things.

Regions are what a keyframe shows of things: some fall apart where a post stands before them, two become one where they
pass each other. So labels are carried along the flow, forward and then backward: a region on which two things arrive is
divided between them, pixel by pixel, and pieces that come apart for good are told apart in earlier keyframes as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from numpy import ndarray
from torch import Tensor

from neoverse_ns.reconstruct.bundle.depth.dense_solver import fill, image_bonds, solve_smooth
from neoverse_ns.reconstruct.bundle.motion.going_on import gone_on
from neoverse_ns.reconstruct.bundle.motion.keyframe_flow import TRUSTED, Carried, KeyframeFlows

GAP = 3
"""Keyframes back, at most, in which a region looks for a thing that was not seen since."""
FOLLOWED = 0.35
"""Share of a region that must come from a thing, or of a thing that must arrive in it, for it to be there."""
KNOWN = 0.05
"""Share of a region, or of a thing, whose flow must be trusted; with less all flow is asked."""
UNTRUSTED = 0.02
"""Weight of flow that is not trusted: where nothing else is known, it says at least the direction."""
LEAST_PIXELS = 12
"""A smaller part of a region is no thing of its own."""
REUNION = 3
"""Keyframes within which pieces that meet again have been one thing all the time."""
LASTING = 2
"""Keyframes for which a piece must stay apart to be a thing."""
ITERATIONS = 25
"""Conjugate gradient steps with which labels spread in a region."""
COHESION = 2.0
"""Pull between neighbouring pixels of the same colour, against the label that one pixel brings along."""


@dataclass(frozen=True)
class Things:
    """Which thing every moving pixel of the keyframes belongs to.

    Attributes:
        labels: 0 where nothing moves, else the thing's number, from 1, the same in all keyframes.
        kin: For a thing that has come apart from another one, that one's number; 0 for all others, and at place 0.
    """

    labels: Int[ndarray, "k h w"]
    kin: Int[ndarray, " things"]

    @property
    def count(self) -> int:
        """How many things there are."""
        return len(self.kin) - 1

    def present(self) -> Bool[ndarray, "things k"]:
        """In which keyframes each thing is seen; of number 0 in none."""
        seen = np.zeros((len(self.kin), len(self.labels)), bool)
        for place, labels in enumerate(self.labels):
            seen[np.unique(labels), place] = True
        seen[0] = False
        return seen


def find_things(moving: Bool[Tensor, "k h w"], images: list[UInt8[Tensor, "h w 3"]], flows: KeyframeFlows) -> Things:
    """Link the moving regions of the keyframes.

    Args:
        moving: Masks of what moves.
        images: The keyframes; regions are divided along their edges.
        flows: Between the keyframes.
    """
    chain = _Chain(_regions(moving), images, flows)
    for place in range(len(moving)):
        chain.link(place)
    chain.settle()
    for place in range(len(moving) - 2, -1, -1):
        chain.look_back(place)
    return chain.things()


def _regions(moving: Bool[Tensor, "k h w"]) -> Int[ndarray, "k h w"]:
    return np.stack([cv2.connectedComponents(mask)[1] for mask in moving.numpy().astype(np.uint8)])


@dataclass
class _Chain:
    """Labels so far.

    Attributes:
        regions: Connected regions of every keyframe, numbered from 1.
        images: The keyframes.
        flows: Between them.
        labels: Of every keyframe.
        parent: By label, from which thing it came apart; 0 for none.
        born: By label, in which keyframe it was seen first.
        alias: By label, the one that it turned out to be.
    """

    regions: Int[ndarray, "k h w"]
    images: list[UInt8[Tensor, "h w 3"]]
    flows: KeyframeFlows
    labels: Int[ndarray, "k h w"] = field(init=False)
    parent: list[int] = field(default_factory=lambda: [0])
    born: list[int] = field(default_factory=lambda: [0])
    alias: list[int] = field(default_factory=lambda: [0])

    def __post_init__(self) -> None:
        self.labels = np.zeros_like(self.regions)

    def link(self, place: int) -> None:
        """Give the regions of keyframe number `place` the labels of the keyframes before."""
        regions = self.regions[place]
        claims: dict[int, dict[int, float]] = {}
        sources: dict[int, int] = {}
        for back in range(1, min(GAP, place) + 1):
            known = self.labels[place - back].copy()
            # Who was seen since is looked for where it was seen last.
            known[np.isin(known, self.labels[place - back + 1 : place])] = 0
            for region, found in self._votes(place, place - back, known).items():
                if region not in claims:
                    claims[region], sources[region] = found, back
        claims |= self._gone_on(place, claims)
        largest: dict[int, int] = {}
        for region, found in claims.items():
            for label, weight in found.items():
                if label not in largest or weight > claims[largest[label]][label]:
                    largest[label] = region
        for region in range(1, int(regions.max()) + 1):
            found = self._reunited(claims.get(region, {}), place)
            mask = regions == region
            if not found:
                self.labels[place][mask] = self._new(0, place)
            elif len(found) > 1:
                known = self.flows.carry(self.labels[place - sources[region]], place, place - sources[region])
                self._divide(place, mask, sorted(found), [known])
            elif largest.get(label := next(iter(found)), region) == region:
                self.labels[place][mask] = label
            else:
                self.labels[place][mask] = self._new(label, place)

    def _gone_on(self, place: int, claims: dict[int, dict[int, float]]) -> dict[int, dict[int, float]]:
        """Claims of things that flow lost, on regions to which it led none."""
        first = max(place - GAP, 0)
        settled = np.array([self._find(label) for label in range(len(self.alias))])
        before = [settled[labels] for labels in self.labels[first:place]]
        claimed = {self._find(label) for found in claims.values() for label in found}
        lost = {int(label) for labels in before for label in np.unique(labels)} - claimed - {0}
        unclaimed = set(range(1, int(self.regions[place].max()) + 1)) - claims.keys()
        found = gone_on(self.regions[place], unclaimed, before, self.flows.keyframes[first : place + 1], lost)
        return {region: {label: 1.0} for region, label in found.items()}

    def look_back(self, place: int) -> None:
        """Divide regions of which a part comes apart later, and those already divided with what is known later."""
        known = self.labels[place + 1]
        later = self.flows.carry(known, place, place + 1)
        if later is None:
            return
        earlier = self.flows.carry(self.labels[place - 1], place, place - 1) if place else None
        for region, found in self._votes(place, place + 1, known).items():
            mask = self.regions[place] == region
            present = set(np.unique(self.labels[place][mask]).tolist())
            apart = {label for label in found if self.parent[label] in present} - present
            if len(present | apart) > 1:
                self._divide(place, mask, sorted(present | apart), [later, earlier])

    def settle(self) -> None:
        """A piece that was apart only for a moment was none."""
        seen = [0] * len(self.parent)
        for labels in self.labels:
            for label in np.unique(labels).tolist():
                seen[self._find(label)] += 1
        for label in range(len(self.parent) - 1, 0, -1):
            if self.parent[label] and self.alias[label] == label and seen[label] < LASTING:
                self.alias[label] = self._find(self.parent[label])
        self.labels = np.array([self._find(label) for label in range(len(self.alias))])[self.labels]
        self.parent = [self._find(label) for label in self.parent]

    def things(self) -> Things:
        """The labels that are left, numbered through."""
        used = np.unique(np.append(0, self.labels))
        number = np.zeros(len(self.parent), np.int64)
        number[used] = np.arange(len(used))
        return Things(number[self.labels].astype(np.int32), number[[self.parent[label] for label in used]])

    def _new(self, parent: int, place: int) -> int:
        self.parent.append(parent)
        self.born.append(place)
        self.alias.append(len(self.alias))
        return len(self.alias) - 1

    def _find(self, label: int) -> int:
        while self.alias[label] != label:
            label = self.alias[label]
        return label

    def _votes(self, here: int, there: int, known: Int[ndarray, "h w"]) -> dict[int, dict[int, float]]:
        """For every region of keyframe `here` the labels of keyframe `there` that are found in it, with the weight."""
        out, back = self.flows.carry(known, here, there), self.flows.carry(self.regions[here], there, here)
        if out is None or back is None:
            return {}
        size = int(self.regions[here].max()) + 1, len(self.alias)
        came, any_came = _shares(self.regions[here], out, size)
        went, any_went = (table.T for table in _shares(known, back, size[::-1]))
        # Flow that is not trusted must at least agree both ways.
        share = np.maximum(np.maximum(came, went), np.minimum(any_came, any_went))
        result: dict[int, dict[int, float]] = {}
        for region, label in np.argwhere(share >= FOLLOWED).tolist():
            if region and label:
                result.setdefault(region, {})[self._find(label)] = float((came + went)[region, label])
        return result

    def _reunited(self, found: dict[int, float], place: int) -> dict[int, float]:
        """Labels found in one region, pieces of one thing that were apart for a moment being that thing again."""
        result: dict[int, float] = {}
        for label, weight in sorted(found.items()):
            parent = self._find(self.parent[label])
            if parent in result and place - self.born[label] <= REUNION:
                self.alias[label] = label = parent
            result[label] = result.get(label, 0.0) + weight
        return result

    def _divide(self, place: int, mask: Bool[ndarray, "h w"], labels: list[int], known: list[Carried | None]) -> None:
        """Divide one region between things: every pixel brings its label along, and likeness of colour decides where
        none is known."""
        box = cv2.boundingRect(mask.astype(np.uint8))
        part = np.s_[box[1] : box[1] + box[3], box[0] : box[0] + box[2]]
        inner = torch.from_numpy(mask[part])
        right, down = image_bonds(self.images[place][part])
        right = COHESION * right * (inner[:, 1:] & inner[:, :-1])
        down = COHESION * down * (inner[1:] & inner[:-1])
        settled = np.array([self._find(label) for label in range(len(self.alias))])
        arrived = [(settled[one.labels[part]], one.trust[part] + UNTRUSTED) for one in known if one is not None]
        shares = []
        for label in labels:
            total = sum(np.where(found == label, trust, 0.0) for found, trust in arrived)
            every = sum(np.where(np.isin(found, labels), trust, 0.0) for found, trust in arrived)
            weight = torch.as_tensor(every, dtype=torch.float32) * inner
            value = torch.as_tensor(total / np.maximum(every, 1e-9), dtype=torch.float32) * inner
            shares.append(solve_smooth(value, weight, right, down, fill(value, weight), ITERATIONS))
        best = np.array(labels)[torch.stack(shares).argmax(0).numpy()]
        best[~inner.numpy()] = 0
        for label in labels:
            if 0 < (best == label).sum() < LEAST_PIXELS:
                rest = [other for other in labels if other != label]
                best[best == label] = max(rest, key=lambda other: int((best == other).sum()))
        self.labels[place][mask] = best[inner.numpy()]


def _shares(
    here: Int[ndarray, "h w"], there: Carried, size: tuple[int, ...]
) -> tuple[Float[ndarray, "a b"], Float[ndarray, "a b"]]:
    """Which share of each label goes where: of trusted flow, 0 where hardly any is; and of all flow alike."""
    place = (here.astype(np.int64) * size[1] + there.labels).ravel()
    trusted = np.where(there.trust >= TRUSTED, there.trust, 0.0).ravel()
    known, every = (np.bincount(place, weight, size[0] * size[1]).reshape(size) for weight in (trusted, None))
    area = every.sum(1, keepdims=True).clip(1)
    total = known.sum(1, keepdims=True)
    return np.where(total >= KNOWN * area, known / total.clip(1e-9), 0.0), every / area
