"""Figures of a video by itself that are our own, by optical flow: each compares with itself alone."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.evaluation.methods.flow_interpolation import dis_flow, interpolate_along_flow
from neoverse_ns.metrics.vbench.flickering import StillFlickering
from neoverse_ns.metrics.vbench.measure import Frame, VideoMeasure
from neoverse_ns.metrics.vbench.smoothness import InterpolatedSmoothness

STILL, SMOOTH = "temporal-flickering-still(dis)", "smoothness-flow"


def flow_of(first: Frame, second: Frame) -> Float[Tensor, "h w 2"]:
    """Displacement of what the first frame shows, by dense inverse search."""
    grey = [cv2.cvtColor(frame.numpy(), cv2.COLOR_RGB2GRAY) for frame in (first, second)]
    return torch.from_numpy(dis_flow(grey[0], grey[1]))


def between(first: Frame, second: Frame) -> Frame:
    """The frame in the middle between two, interpolated along optical flow."""
    return torch.from_numpy(interpolate_along_flow(first.numpy(), second.numpy(), 0.5))


OWN_MEASURES: dict[str, Callable[[], VideoMeasure]] = {
    STILL: lambda: StillFlickering(flow_of, "dis"),
    SMOOTH: lambda: InterpolatedSmoothness(SMOOTH, between),
}
"""Makers of a measure for one video, by its id."""
