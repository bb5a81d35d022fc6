"""A moving thing keeps its size: its depths in all keyframes are brought into agreement.

A region's depth in one keyframe alone (see :mod:`neoverse_ns.reconstruct.bundle.motion.dynamic_objects`) is rough,
and wrong where the thing flies or hides its feet. But how much larger or smaller it looks in the next keyframe says
exactly how much nearer or farther it is there. Regions are linked along the flow, and every chain settles where most of
its members say.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from torch import Tensor

from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField

LEAST_PIXELS = 40
"""Smaller regions are not linked: how their size changes cannot be told."""
MOST_PIXELS = 1500
"""Pixels of a region that are followed."""
TRUSTED = 0.2
"""Confidence of flow from which on it is followed."""
FOLLOWED = 0.4
"""Share of a region's pixels that must be followed into the same region of the next keyframe, and back."""
RIGID = 0.6
"""Share of those that one turn, shift and change of size must explain."""
TOLERANCE = 1.5
"""Error in pixels up to which it does."""
MOST_CHANGE = 0.4
"""Largest change of size from one keyframe to the next, as a logarithm."""
LINK_ERROR = 0.05
"""Typical error of a measured change of size, as a logarithm."""
AGREEMENT = 0.02
"""Deviation below which a region's own depth pulls no less: it makes the sum of absolute deviations smooth."""
ROUNDS = 100
"""Reweighted solves at most."""
SETTLED = 1e-4
"""Change of a logarithmic depth below which they end."""


@dataclass(frozen=True)
class Link:
    """One thing in two neighbouring keyframes.

    Attributes:
        first: Number of its region in the earlier one.
        second: Number of its region in the later one.
        growth: Logarithm of how much larger it looks there.
    """

    first: int
    second: int
    growth: float


def agree_on_sizes(
    depth: Float[Tensor, "k h w"],
    error: Float[Tensor, "k h w"],
    behind: Float[Tensor, "k h w"],
    moving: Bool[Tensor, "k h w"],
    keyframes: list[int],
    flow: FlowField,
) -> Float[Tensor, "k h w"]:
    """The depth maps with every moving region at a distance at which things keep their size from keyframe to keyframe.

    Args:
        depth: With every region where it seems to be, by itself.
        error: Typical error of its logarithm in every moving region.
        behind: The static surface, filled in behind what moves: nothing is moved beyond it.
        moving: Masks of what moves.
        keyframes: Their positions among the frames.
        flow: Measured flow; pairs of neighbouring keyframes that are missing link nothing.
    """
    regions = _Regions.of(moving)
    if not regions.count:
        return depth
    links = [
        link
        for number, (i, j) in enumerate(pairwise(keyframes))
        if (i, j) in flow.flow and (j, i) in flow.flow
        for link in _follow(regions, number, (i, j), flow)
    ]
    if not links:
        return depth
    own, errors = regions.medians(depth.log().numpy()), regions.medians(error.numpy())
    factor = torch.from_numpy(np.exp(np.append(0.0, settle(own, errors, links) - own)).astype(np.float32))
    change = factor[torch.from_numpy(regions.labels).long()]
    # What lies behind is a bound only for what is moved away.
    farthest = torch.maximum(behind, depth)
    return torch.where(change == 1, depth, torch.minimum(depth * change, farthest))


def settle(own: Float[ndarray, " r"], errors: Float[ndarray, " r"], links: list[Link]) -> Float[ndarray, " r"]:
    """Logarithmic depths that fit all changes of size and deviate least, in absolute value, from the regions' own.

    Args:
        own: Logarithm of the depth that each region has by itself; regions without a link keep it.
        errors: Typical errors of these.
        links: What is the same thing.
    """
    linked = np.unique([end for link in links for end in (link.first, link.second)])
    place = {int(region): number for number, region in enumerate(linked)}
    rows = np.arange(len(links))
    between = np.zeros((len(links), len(linked)))
    between[rows, [place[link.first] for link in links]] = -1.0
    between[rows, [place[link.second] for link in links]] = 1.0
    growth = np.array([link.growth for link in links])
    target = own[linked]
    result = target
    for _ in range(ROUNDS):
        pull = 1 / (errors[linked] * np.maximum(np.abs(result - target), AGREEMENT))
        normal = between.T @ between / LINK_ERROR**2 + np.diag(pull)
        before, result = result, np.linalg.solve(normal, pull * target - between.T @ growth / LINK_ERROR**2)
        if np.abs(result - before).max() < SETTLED:
            break
    settled = own.copy()
    settled[linked] = result
    return settled


@dataclass(frozen=True)
class _Regions:
    """Connected moving regions of all keyframes, numbered through.

    Attributes:
        labels: 0 where nothing moves, else the region's number plus 1.
        counts: How many there are in every keyframe.
    """

    labels: Int[ndarray, "k h w"]
    counts: list[int]

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(self.counts)

    @staticmethod
    def of(moving: Bool[Tensor, "k h w"]) -> _Regions:
        labels: list[ndarray] = []
        counts: list[int] = []
        for mask in moving.numpy().astype(np.uint8):
            found, label = cv2.connectedComponents(mask)
            labels.append(np.where(label > 0, label + sum(counts), 0))
            counts.append(found - 1)
        return _Regions(np.stack(labels), counts)

    def medians(self, values: Float[ndarray, "k h w"]) -> Float[ndarray, " r"]:
        """Median over the pixels of each region."""
        found: list[float] = []
        for label, value, count in zip(self.labels, values, self.counts, strict=True):
            first = len(found) + 1
            found += [float(np.median(value[label == number])) for number in range(first, first + count)]
        return np.array(found)


def _follow(regions: _Regions, number: int, pair: tuple[int, int], flow: FlowField) -> list[Link]:
    """Links from keyframe `number` to the next.

    Two things that become one region, or one that falls apart, are not linked: the way back must lead there as well.
    """
    here, there = regions.labels[number], regions.labels[number + 1]
    reverse = (pair[1], pair[0])
    links = []
    for region in _numbers(here):
        other, start, end = _land(region, here, there, flow.flow[pair], flow.confidence[pair])
        if not other:
            continue
        back, _, _ = _land(other, there, here, flow.flow[reverse], flow.confidence[reverse])
        growth = _growth(start, end) if back == region else None
        if growth is not None:
            links.append(Link(region - 1, other - 1, growth))
    return links


def _numbers(labels: Int[ndarray, "h w"]) -> list[int]:
    """Labels of the regions that are large enough."""
    found, areas = np.unique(labels[labels > 0], return_counts=True)
    return found[areas >= LEAST_PIXELS].tolist()


def _land(
    region: int,
    here: Int[ndarray, "h w"],
    there: Int[ndarray, "h w"],
    flow: Float[ndarray, "h w 2"],
    confidence: Float[ndarray, "h w"],
) -> tuple[int, Float[ndarray, "p 2"], Float[ndarray, "p 2"]]:
    """Where a region goes: the label of the region it becomes, and the pixels that do from and to; 0 where unclear."""
    height, width = here.shape
    rows, columns = np.nonzero(here == region)
    pick = slice(None, None, len(rows) // MOST_PIXELS + 1)
    rows, columns = rows[pick], columns[pick]
    start = np.stack([columns, rows], -1).astype(np.float32)
    end = start + flow[rows, columns]
    column, row = end.round().astype(int).T
    lands = (confidence[rows, columns] >= TRUSTED) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    found = np.where(lands, there[row.clip(0, height - 1), column.clip(0, width - 1)], 0)
    other = int(np.bincount(found[found > 0]).argmax()) if (found > 0).any() else 0
    same = (found == other) & (found > 0)
    return (other if same.mean() >= FOLLOWED else 0), start[same], end[same]


def _growth(start: Float[ndarray, "p 2"], end: Float[ndarray, "p 2"]) -> float | None:
    """Logarithm of how much larger a region becomes; None where it does not stay alike."""
    cv2.setRNGSeed(0)
    similarity, inliers = cv2.estimateAffinePartial2D(start, end, method=cv2.RANSAC, ransacReprojThreshold=TOLERANCE)
    if similarity is None or inliers.mean() < RIGID:
        return None
    growth = float(np.log(np.hypot(similarity[0, 0], similarity[1, 0])))
    return growth if abs(growth) < MOST_CHANGE else None
