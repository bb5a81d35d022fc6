"""Subject and background consistency: how alike frames look to a network, to the one before and to the first."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from neoverse_ns.metrics.vbench.measure import Frame, VideoMeasure

Embed = Callable[[Frame], Float[Tensor, " d"]]
"""Features of one frame, of any length."""


class Consistency(VideoMeasure):
    """(max(0, cos(f_t, f_t-1)) + max(0, cos(f_t, f_0))) / 2 for every frame after the first.

    VBench's total is the mean over the frames of all videos together, so long videos weigh more.

    Args:
        id: `subject-consistency` with DINO ViT-B/16's class token, `background-consistency` with the image embedding of
            CLIP ViT-B/32.
        embed: Gives the features.
    """

    def __init__(self, id: str, embed: Embed) -> None:
        super().__init__()
        self.id = id
        self._embed = embed
        self._first: Float64[Tensor, " d"] | None = None
        self._before: Float64[Tensor, " d"] | None = None
        self._count = 0

    def add(self, frame: Frame) -> None:
        now = torch.nn.functional.normalize(self._embed(frame).to(torch.float64), dim=0)
        if self._first is None or self._before is None:
            self._first = now
        else:
            near, far = (max(0.0, float(now @ other)) for other in (self._before, self._first))
            self.values[self._count] = (near + far) / 2
        self._before, self._count = now, self._count + 1
