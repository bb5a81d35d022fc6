"""Frames that show nothing that the others show (a shot inside the pocket, a hand before the lens), found in time.

They can have no camera, so they must neither carry Gaussians nor train nor be held out. This is asked before frames are
divided, of the pictures alone, and costs next to nothing where every frame continues the one before it.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import UInt8

from neoverse_ns.clip.clip import Clip
from neoverse_ns.console import warn
from neoverse_ns.reconstruct.bundle.flow.dense_flow import (
    Pair,
    round_trip_confidence,
    searcher,
    single_threaded_opencv,
    texture_confidence,
    to_gray,
)
from neoverse_ns.reconstruct.bundle.flow.feature_matches import Features, find_features, match_features, verified
from neoverse_ns.reconstruct.bundle.flow.view_graph import linked_groups
from neoverse_ns.reconstruct.bundle.flow.wide_pair import FEWEST_MATCHES, measure_wide_pair
from neoverse_ns.reconstruct.bundle.flow.wide_steps import WEAK

# Longer side in pixels of the pictures between which flow is tried, and disagreement in pixels that it may have.
_SIDE, _NOISE = 192, 1.5
# How many frames of the scene, the nearest in time, are tried before a frame is taken for a stray.
_TRIES = 4
# Groups of more frames than this are no strays but another place, which the solve warns of.
_MOST_TOGETHER = 2


def without_strays(clip: Clip) -> Clip:
    """The clip without frames that nothing links to the rest, which is said; the same clip where there are none."""
    strays = find_strays(clip.frames.numpy())
    if not strays:
        return clip
    listed = ", ".join(f"{clip.seconds[i]:.1f}" for i in strays[:8]) + (", ..." if len(strays) > 8 else "")
    note = (
        f"{len(strays)} of {len(clip)} frames (second {listed}) show nothing that the rest shows: "
        "their cameras cannot be known, so they were left out"
    )
    warn(note)
    rest = clip.part([i for i in range(len(clip)) if i not in set(strays)])
    return replace(rest, notes=(*rest.notes, note))


def find_strays(frames: UInt8[np.ndarray, "n h w 3"]) -> list[int]:
    """Positions of single frames that neither flow nor feature matches link to the frames that most are linked to.

    None where less than half of the frames are linked: then the clip is a set of wide views, and what can be used of it
    is for the solve to find out.
    """
    if len(frames) < 3:
        return []
    links = _Links(to_gray(frames))
    with single_threaded_opencv():
        strong = [(i, i + 1) for i in range(len(frames) - 1) if links.flows(i, i + 1)]
        if len(strong) == len(frames) - 1:
            return []
        main = set(linked_groups(strong, len(frames))[0])
        others = [group for group in linked_groups(strong, len(frames)) if main.isdisjoint(group)]
        while True:
            joined = next((group for group in others if _joins(group, main, links)), None)
            if joined is None:
                break
            main.update(joined)
            others.remove(joined)
    if 2 * len(main) < len(frames):
        return []
    return sorted(frame for group in others if len(group) <= _MOST_TOGETHER for frame in group)


class _Links:
    """Which frames show the same things; what was found out is remembered."""

    def __init__(self, gray: list[UInt8[np.ndarray, "h w"]]) -> None:
        self._gray = gray
        scale = min(_SIDE / max(gray[0].shape), 1.0)
        size = (max(round(gray[0].shape[1] * scale), 1), max(round(gray[0].shape[0] * scale), 1))
        self._small = [cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in gray]
        self._texture = [texture_confidence(image) for image in self._small]
        self._features: dict[int, Features] = {}
        self._known: dict[Pair, bool] = {}

    def flows(self, i: int, j: int) -> bool:
        """Whether flow leads from one frame to the other and back."""
        if min(self._small[i].shape) < 16:
            return True
        there, back = (
            searcher().calc(self._small[a], self._small[b], np.zeros((*self._small[a].shape, 2), np.float32))
            for a, b in ((i, j), (j, i))
        )
        shares = [
            float((texture * round_trip_confidence(flow, other, _NOISE)).sum()) / max(float(texture.sum()), 1e-9)
            for texture, flow, other in ((self._texture[i], there, back), (self._texture[j], back, there))
        ]
        return min(shares) >= WEAK

    def matched(self, i: int, j: int) -> bool:
        """Whether matches of features lead from one frame to the other, as the solve will judge it."""
        for frame in (i, j):
            if frame not in self._features:
                self._features[frame] = find_features(self._gray[frame])
        matches = verified(match_features(self._features[i], self._features[j]))
        if len(matches) < FEWEST_MATCHES:
            return False
        return measure_wide_pair(None, matches, (self._gray[i], self._gray[j]), 1.0, _NOISE) is not None

    def linked(self, i: int, j: int) -> bool:
        pair = (min(i, j), max(i, j))
        if pair not in self._known:
            self._known[pair] = self.flows(*pair) or self.matched(*pair)
        return self._known[pair]


def _joins(group: list[int], main: set[int], links: _Links) -> bool:
    """Whether any frame of a group is linked to one of the nearest frames of the scene."""
    pairs = sorted((abs(i - j), i, j) for i in group for j in main)
    return any(links.linked(i, j) for _, i, j in pairs[:_TRIES])
