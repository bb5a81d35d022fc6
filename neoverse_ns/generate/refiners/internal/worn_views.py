"""What the network is shown, worn as by a poor camera: the drawing, and the frames that its pixels are looked up in."""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.clip.wear.apply import wear_inputs
from neoverse_ns.clip.wear.draw import WearDraw
from neoverse_ns.generate.base import Conditions
from neoverse_ns.generate.refiners.internal.reference_lookup import References


class WornViews:
    """Wears drawings and the clip's frames alike; the frames once for as long as the wear stays the same.

    Args:
        references: The clean frames, which are not changed.
    """

    def __init__(self, references: References) -> None:
        self._clean = self._worn = references
        self._draw = WearDraw()

    def __call__(self, drawn: Conditions, draw: WearDraw) -> tuple[Conditions, References]:
        """Worn drawings and frames; the clean ones where nothing is done.

        Args:
            drawn: Drawings; their depth, opacity and mask stay.
            draw: What is done to both.
        """
        if draw.nothing:
            return drawn, self._clean
        if draw != self._draw:
            self._worn, self._draw = replace(self._clean, images=_worn(self._clean.images, draw)), draw
        colours = _worn(drawn.rgb.movedim(-1, 1), draw).movedim(1, -1)
        return replace(drawn, rgb=colours), self._worn


@torch.no_grad()
def _worn(images: Float[Tensor, "n 3 h w"], draw: WearDraw) -> Float[Tensor, "n 3 h w"]:
    return wear_inputs(images.clamp(0, 1).cpu(), draw).to(images)
