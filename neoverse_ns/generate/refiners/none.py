"""The refiner that changes nothing: what was drawn is the video."""

from __future__ import annotations

from collections.abc import Iterator

from jaxtyping import Float
from torch import Tensor

from neoverse_ns.console import progress
from neoverse_ns.generate.base import DEFAULT_PROMPT, ConditionSource, StreamingRefiner
from neoverse_ns.generate.conditions.drawn import pieces


class AsDrawn(StreamingRefiner):
    """Frames as the Gaussians show them, holes black: for previews, and what other refiners are measured against."""

    def stream(
        self, conditions: ConditionSource, prompt: str = DEFAULT_PROMPT, seed: int = 0
    ) -> Iterator[Float[Tensor, "k h w 3"]]:
        with progress("drawing frames", len(conditions)) as steps:
            for piece in pieces(conditions):
                yield piece.rgb.clamp(0, 1)
                steps.advance(len(piece))
