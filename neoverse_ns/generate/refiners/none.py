"""The refiner that changes nothing: what was drawn is the video."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from neoverse_ns.generate.base import DEFAULT_PROMPT, Conditions, Refiner


class AsDrawn(Refiner):
    """Frames as the Gaussians show them, holes black: for previews, and what other refiners are measured against."""

    def refine(self, conditions: Conditions, prompt: str = DEFAULT_PROMPT, seed: int = 0) -> Float[Tensor, "n h w 3"]:
        return conditions.rgb.clamp(0, 1)
