"""Seconds and memory of the video model at its released size, with random weights: what a GPU has to be."""

from __future__ import annotations

from typing import Any

import torch

from neoverse_ns.refine.registry import REFINERS


def measure_video_model(frames: int = 81, width: int = 560, height: int = 336, steps: int = 4) -> dict[str, Any]:
    """One clip through Wan 2.1 14B with the control branch; where it cannot run, the reason instead of figures.

    Args:
        frames: Of the clip.
        width: Of the frames, pixels.
        height: Of the frames, pixels.
        steps: Sampling steps.
    """
    if not torch.cuda.is_available():
        return {"not_measured": "no GPU here"}
    if "wan" not in REFINERS:
        return {"not_measured": "the video model is not part of this installation"}
    return _measure(frames, width, height, steps)
