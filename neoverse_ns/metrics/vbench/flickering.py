"""Temporal flickering, exactly as VBench has it (45e79ec), and whether a video stands still."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.metrics.vbench.measure import Frame, VideoMeasure

FlowOf = Callable[[Frame, Frame], Float[Tensor, "h w 2"]]
"""Displacement in pixels (x, y) of what the first frame shows until the second."""

LARGEST = 0.02
"""Share of the pixels, those that move most, whose mean motion speaks for a pair of frames."""
STILL = 3.0
"""Pixels of motion between two frames, at a short side of 256, up to which they count as still."""


class TemporalFlickering(VideoMeasure):
    """(255 - d) / 255 of neighbouring frames, d their mean absolute difference in 8 bits; 1 is best.

    VBench's own tables are of videos that stand still alone, which a flow network (RAFT) decides; here every video is
    measured, as VBench's custom figures of others are. A value belongs to the later frame of its pair.
    """

    id = "temporal-flickering"

    def __init__(self) -> None:
        super().__init__()
        self._before: Tensor | None = None
        self._count = 0

    def add(self, frame: Frame) -> None:
        if self._before is not None:
            self.values[self._count] = likeness(self._before, frame)
        self._before, self._count = frame, self._count + 1


class StillFlickering(TemporalFlickering):
    """The same of videos that stand still, by VBench's rule but a flow of our own; others have no value.

    RAFT, by which VBench decides, is not to be had here, so this compares with itself only.

    Args:
        flow_of: Measures motion.
        flow_name: Of the flow, which the id carries.
    """

    def __init__(self, flow_of: FlowOf, flow_name: str) -> None:
        super().__init__()
        self.id = f"temporal-flickering-still({flow_name})"
        self._flow_of = flow_of
        self._motions: list[float] = []
        self._first: Tensor | None = None
        self.still: bool | None = None

    def add(self, frame: Frame) -> None:
        if self._before is not None:
            self._motions.append(largest_motion(self._flow_of(self._before, frame)))
        self._first = frame if self._first is None else self._first
        super().add(frame)

    def finish(self) -> None:
        if self._first is None or self._before is None or not self.values:
            return
        # From end to end in both directions: a slow drift does not show between neighbours.
        ends = ((self._first, self._before), (self._before, self._first))
        across = [largest_motion(self._flow_of(*pair)) for pair in ends]
        self.still = stands_still(self._motions, across, min(self._first.shape[:2]), self._count)
        if not self.still:
            self.values.clear()
            self.why_not = "the video moves, by VBench's rule, which keeps such videos out of this figure"


def likeness(a: Frame, b: Frame) -> float:
    """(255 - mean absolute difference in 8 bits) / 255."""
    # In whole numbers: the sum of a picture's differences stays far below what 64 bits hold.
    total = (a.to(torch.int16) - b.to(torch.int16)).abs().sum(dtype=torch.int64).item()
    return 1.0 - total / a.numel() / 255.0


def largest_motion(flow: Float[Tensor, "h w 2"]) -> float:
    """Mean length of the largest 2 % of all displacements, in pixels; at least one pixel counts."""
    lengths = flow.to(torch.float64).norm(dim=-1).flatten()
    return lengths.topk(max(int(len(lengths) * LARGEST), 1)).values.mean().item()


def stands_still(motions: Sequence[float], across: Sequence[float], short_side: int, frames: int) -> bool:
    """VBench's rule for what counts as a still video.

    Args:
        motions: Of neighbouring frames, as :func:`largest_motion` gives them.
        across: From the first frame to the last, and back.
        short_side: Of the frames, in pixels.
        frames: How many the video has.
    """
    limit, allowed = STILL * short_side / 256, round(2 * frames / 16)
    return sum(motion > limit for motion in motions) <= allowed and max(across) <= 2 * allowed * limit
