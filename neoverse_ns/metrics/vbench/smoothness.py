"""How well every other frame can be made from its neighbours: VBench's motion smoothness with any interpolator."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from neoverse_ns.metrics.vbench.flickering import likeness
from neoverse_ns.metrics.vbench.measure import Frame, VideoMeasure

Interpolate = Callable[[Frame, Frame], Frame]
"""Makes the frame in the middle between two."""


class InterpolatedSmoothness(VideoMeasure):
    """(255 - d) / 255, d the mean absolute difference in 8 bits of every odd frame from what its neighbours make of it.

    VBench does so with AMT-S. With another interpolator it is another figure, which compares with itself only.

    Args:
        id: Of the figure; `smoothness-flow` where our optical flow interpolates.
        interpolate: Makes the frame between two even ones.
    """

    def __init__(self, id: str, interpolate: Interpolate) -> None:
        super().__init__()
        self.id = id
        self._interpolate = interpolate
        self._even: Tensor | None = None
        self._odd: Tensor | None = None
        self._count = 0

    def add(self, frame: Frame) -> None:
        if self._count % 2:
            self._odd = frame
        else:
            if self._even is not None and self._odd is not None:
                self.values[self._count - 1] = likeness(self._interpolate(self._even, frame), self._odd)
            self._even = frame
        self._count += 1
