"""Aesthetic quality: LAION's linear head on CLIP ViT-L/14."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.metrics.vbench.consistency import Embed
from neoverse_ns.metrics.vbench.measure import Frame, VideoMeasure


class AestheticQuality(VideoMeasure):
    """A tenth of what a linear head makes of the normalised embedding, frame by frame.

    Args:
        embed: CLIP ViT-L/14's image embedding.
        weight: Of the head.
        bias: Of the head.
    """

    id = "aesthetic-quality"

    def __init__(self, embed: Embed, weight: Float[Tensor, " d"], bias: float) -> None:
        super().__init__()
        self._embed, self._weight, self._bias = embed, weight, bias
        self._count = 0

    def add(self, frame: Frame) -> None:
        embedding = torch.nn.functional.normalize(self._embed(frame).float(), dim=0)
        self.values[self._count] = (float(embedding @ self._weight) + self._bias) / 10
        self._count += 1
