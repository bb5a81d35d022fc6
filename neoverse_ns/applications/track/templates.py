"""Small patches around points in the frames that the points were given in, found again in others: no drift."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64, UInt8
from numpy import ndarray

from neoverse_ns.applications.track.queries import Queries
from neoverse_ns.export.colmap.patches import RADIUS, Level, Patches, cut_patches, levels, locate

NEAR, NEARER = 4.0, 1.0
"""Pixels (at 384 px width) from where a point is expected within which its patch must be found, at most, and where
nothing is in doubt."""
PURE = 0.8
"""Share of a patch that must show the point's own thing."""


@dataclass(frozen=True)
class Templates:
    """Patches of points, by the frame these were given in.

    Attributes:
        patches: By frame.
        place: Row of every point among its frame's patches.
        frame: Of every point.
        pure: Points whose patch shows little else than their own thing.
        pictures: All frames, as the patches are looked for in.
        usable: Frames that may be looked in.
    """

    patches: dict[int, Patches]
    place: Int64[ndarray, " p"]
    frame: Int64[ndarray, " p"]
    pure: Bool[ndarray, " p"]
    pictures: list[list[Level]]
    usable: frozenset[int]

    def find(
        self,
        points: Int64[ndarray, " m"],
        frame: int,
        guess: Float[ndarray, "m 2"],
        doubt: Float[ndarray, " m"],
        bend: Float[ndarray, "m 2 2"],
    ) -> tuple[Float[ndarray, "m 2"], Bool[ndarray, " m"]]:
        """Where a frame shows points.

        Args:
            points: Which ones.
            frame: The frame to look in.
            guess: Where about they are.
            doubt: Variance of that, pixels^2.
            bend: How a small step from a point comes out there.

        Returns:
            Places, and which of them could be measured; the others are as guessed.
        """
        result, seen = guess.copy(), np.zeros(len(points), bool)
        if frame not in self.usable:
            return result, seen
        scale = max(1.0, self.pictures[0][-1].image.shape[1] / 384)
        near = scale * np.minimum(NEARER + 2 * np.sqrt(doubt), NEAR)
        for home, patches in self.patches.items():
            here = np.nonzero((self.frame[points] == home) & self.pure[points])[0]
            if not len(here):
                continue
            chosen = patches.only(self.place[points[here]])
            places, found = locate(chosen, self.pictures[frame], guess[here], bend[here])
            found &= np.linalg.norm(places - guess[here], axis=1) < near[here]
            result[here[found]], seen[here] = places[found], found
        return result, seen


def cut_templates(
    gray: list[UInt8[ndarray, "h w"]],
    queries: Queries,
    things: Int64[ndarray, "n h w"],
    thing: Int64[ndarray, " p"],
    usable: Collection[int],
) -> Templates:
    """Patches around all points.

    Args:
        gray: All frames.
        queries: The points.
        things: What moves in every frame.
        thing: What every point is a part of.
        usable: Frames that patches may be cut from and looked for in.
    """
    xy, frame = queries.xy.double().numpy(), queries.frame.numpy()
    pictures = [levels(picture) for picture in gray]
    place, pure = np.zeros(len(frame), np.int64), np.zeros(len(frame), bool)
    patches = {}
    step = np.arange(-RADIUS, RADIUS + 1)
    height, width = gray[0].shape
    for home in np.unique(frame).tolist():
        rows = np.nonzero(frame == home)[0]
        patches[home] = cut_patches(pictures[home], xy[rows])
        place[rows] = np.arange(len(rows))
        column = (xy[rows, 0].astype(int)[:, None] + step).clip(0, width - 1)
        row = (xy[rows, 1].astype(int)[:, None] + step).clip(0, height - 1)
        own = things[home][row[:, :, None], column[:, None, :]] == thing[rows, None, None]
        pure[rows] = (own.mean((1, 2)) >= PURE) & (home in usable)
    return Templates(patches, place, frame, pure, pictures, frozenset(usable))
