"""Relative poses from feature matches, which stay right where the camera turns fast and flow is off by degrees."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray
from torch import Tensor

from neoverse_ns.reconstruct.bundle.cameras.two_view import THRESHOLD, pose_of_points
from neoverse_ns.reconstruct.bundle.flow.dense_flow import Pair, single_threaded_opencv
from neoverse_ns.reconstruct.bundle.flow.feature_matches import Matches, find_features, match_features, verified
from neoverse_ns.reconstruct.bundle.parallel import map_on_cores

WIDEST = 2
"""Frames between which matches are looked for: errors add up along a chain, but wide pairs share little."""


@dataclass(frozen=True)
class MatchedPoses:
    """Verified matches of near pairs, from which :meth:`pose` tells relative poses.

    Attributes:
        matches: Of pairs i < j.
        width: Image width in pixels.
        centre: Principal point as an array position.
    """

    matches: dict[Pair, Matches]
    width: int
    centre: Float[ndarray, "2"] = field(default_factory=lambda: np.zeros(2))

    def pose(self, pair: Pair, focal: float, seed: int) -> Float[Tensor, "4 4"] | None:
        """Source-to-target pose with a translation of length 1, for a focal length over width; None where unknown."""
        found = self.matches.get((min(pair), max(pair)))
        if found is None:
            return None
        points = (found.first, found.second) if pair[0] < pair[1] else (found.second, found.first)
        first, second = ((p.astype(np.float64) - self.centre) / (focal * self.width) for p in points)
        return pose_of_points(first, second, THRESHOLD / (focal * self.width), seed)


def match_near_frames(gray: list[UInt8[ndarray, "h w"]]) -> MatchedPoses:
    """Match every frame with the next `WIDEST` ones."""
    height, width = gray[0].shape
    pairs = [(i, j) for i in range(len(gray)) for j in range(i + 1, min(i + 1 + WIDEST, len(gray)))]
    with single_threaded_opencv():
        features = list(map_on_cores(find_features, gray))

        def one(pair: Pair) -> Matches:
            return verified(match_features(features[pair[0]], features[pair[1]]))

        matches = dict(zip(pairs, map_on_cores(one, pairs), strict=True))
    return MatchedPoses(matches, width, np.array([width / 2 - 0.5, height / 2 - 0.5]))
