"""Motion of every pixel between frames: measured on the clip, or as the scene's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from neoverse_ns.applications.track.local_motion import LocalMotion, local_motion
from neoverse_ns.applications.track.views import SceneViews
from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField, measure_flow, to_gray

GAPS = (1, 2, 4)
"""Frames apart between which motion is measured: longer steps drift less, shorter ones lose less."""
NOISE = 1.0
"""Round-trip error in pixels at which flow has lost most of its trust."""
SCENE_DOUBT = 1.0
"""Variance in pixels^2 of a step along the scene's own motion."""


@dataclass(frozen=True)
class PairMotion:
    """Motion between pairs of frames.

    Attributes:
        views: What the scene says.
        measured: Flow and trust by (from, to), both directions; empty where nothing is measured.
    """

    views: SceneViews
    measured: FlowField = field(default_factory=FlowField)

    def sources(self, frame: int, step: int) -> list[int]:
        """Frames from which motion leads to `frame`, going forward (`step` 1) or back (-1); the nearest first."""
        known = [a for a, b in self.measured.flow if b == frame and (frame - a) * step > 0]
        before = frame - step
        if before not in known and (before, frame) in self.views.steps:
            known.append(before)
        return sorted(known, key=lambda other: abs(frame - other))

    def thing(self, first: int, second: int, thing: int) -> LocalMotion | None:
        """Even motion of one thing; None where it shows too little of itself."""
        inside = (self.views.things[first] == thing).numpy()
        if (first, second) not in self.measured.flow:
            flow = self.views.steps[first, second].numpy()
            return local_motion(flow, np.ones(flow.shape[:2]), inside)
        flow, trust = self.measured.flow[first, second], self.measured.confidence[first, second]
        height, width = inside.shape
        y, x = np.mgrid[:height, :width]
        column = (x + flow[..., 0]).round().astype(int).clip(0, width - 1)
        row = (y + flow[..., 1]).round().astype(int).clip(0, height - 1)
        arrives = (self.views.things[second] == thing).numpy()[row, column]
        return local_motion(flow, trust * arrives, inside)

    def back(self, first: int, second: int) -> Float[ndarray, "h w 2"]:
        """Motion the other way."""
        found = self.measured.flow.get((second, first))
        return self.views.steps[second, first].numpy() if found is None else found

    def doubt(self, first: int, second: int) -> float:
        """Variance of a step in pixels^2 beyond what the round trip tells."""
        return 0.01 if (first, second) in self.measured.flow else SCENE_DOUBT


def measure_pairs(views: SceneViews, frames: UInt8[ndarray, "n h w 3"], usable: Sequence[int]) -> PairMotion:
    """Measure motion between the frames `usable`; steps to others are the scene's own.

    Where it is wide, flow is also searched for around the scene's motion, and the better of both is taken.
    """
    order = sorted(usable)
    middles: dict[tuple[int, int], int | None] = {}
    for gap in GAPS:
        for place in range(len(order) - gap):
            middle = None if gap == 1 else order[place + gap // 2]
            middles[order[place], order[place + gap]] = middle
    if not middles:
        return PairMotion(views)
    starts = {pair: flow.numpy() for pair, flow in views.steps.items() if tuple(sorted(pair)) in middles}
    measured = measure_flow(to_gray(frames), middles, NOISE, starts)  # type: ignore[arg-type]
    return PairMotion(views, measured)
