"""How well a scene fits the keyframes that it was made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.metrics.image import psnr


@dataclass(frozen=True)
class KeyframeDrawings:
    """What the run shows from the keyframes' own refined cameras, in their own exposure.

    Attributes:
        rgb: Colours in [0, 1].
        depth: z-depth, world units; the farthest drawn where nothing is.
    """

    rgb: Float[Tensor, "k h w 3"]
    depth: Float[Tensor, "k h w"]


def score_keyframes(drawn: KeyframeDrawings, clip: Clip, keyframes: list[int]) -> dict[str, Any]:
    """PSNR of the keyframes against the clip, pixels that are no part of the world left out: mean, worst, and each."""
    each = [
        psnr(colours, clip.frames[frame].float() / 255, clip.world(frame))
        for colours, frame in zip(drawn.rgb, keyframes, strict=True)
    ]
    return {"mean": float(np.mean(each)), "worst": min(each), "psnr_each": each}
