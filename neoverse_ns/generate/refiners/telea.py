"""`telea`: holes closed from their borders inwards, everything else as drawn."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.console import progress
from neoverse_ns.generate.base import DEFAULT_PROMPT, ConditionSource, StreamingRefiner
from neoverse_ns.generate.conditions.drawn import pieces

COVERED = 0.5
"""Opacity below which a pixel counts as a hole."""

_RADIUS = 3.0
"""Pixels around a hole's border that its colour is taken from."""


class TeleaRefiner(StreamingRefiner):
    """Inpaints every frame by itself with OpenCV's fast marching (Telea, 2004): a baseline, and instant."""

    def stream(
        self, conditions: ConditionSource, prompt: str = DEFAULT_PROMPT, seed: int = 0
    ) -> Iterator[Float[Tensor, "k h w 3"]]:
        with progress("closing holes", len(conditions)) as steps:
            for piece in pieces(conditions):
                finished = torch.stack([_inpaint(*frame) for frame in zip(piece.rgb, piece.alpha, strict=True)])
                if piece.first_frame:
                    finished[0] = piece.rgb[0]
                yield finished
                steps.advance(len(piece))


def _inpaint(rgb: Float[Tensor, "h w 3"], alpha: Float[Tensor, "h w"]) -> Float[Tensor, "h w 3"]:
    covered = (alpha >= COVERED)[..., None]
    # Drawn over black: what is half open is half dark.
    whole = (torch.where(covered, rgb / alpha.clamp_min(COVERED)[..., None], rgb)).clamp(0, 1)
    if bool(covered.all()) or not bool(covered.any()):
        return whole
    image = (whole.cpu().numpy() * 255).round().astype(np.uint8)
    holes = (~covered[..., 0]).cpu().numpy().astype(np.uint8)
    filled = torch.from_numpy(cv2.inpaint(image, holes, _RADIUS, cv2.INPAINT_TELEA)).to(rgb) / 255
    # The bytes' rounding stays out of what was drawn.
    return torch.where(covered, whole, filled)
