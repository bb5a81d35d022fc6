"""Moving things against the truth: their masks, and the depth of each over time."""

from __future__ import annotations

import statistics
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from neoverse_ns.metrics.depth import depth_error

LEAST_PIXELS = 24
"""Pixels of a thing in a frame from which on the frame counts for it."""


def score_depth(
    depth: Float[Tensor, "f h w"], truth: Float[Tensor, "f h w"], things: UInt8[Tensor, "f h w"]
) -> dict[str, Any]:
    """Relative depth errors |depth - truth| / truth of every thing, after the one scale that the still pixels have.

    A thing put at the depth of what is behind it is wrong by all of its distance from there, however good the still
    scene is. Over the pixels of a frame errors are averaged; where depth is drawn, what is seen through a thing's soft
    edges would rule that mean, and `typical` is the median. Over the frames that show a thing both are averaged.

    Args:
        depth: Of some frames, arbitrary scale.
        truth: True depth of the same.
        things: Number of the moving thing at every pixel; 0 where nothing moves.

    Returns:
        `scale`: what the depth was multiplied by; `mean` and `typical`: errors by number (as text, for JSON), and,
        where any frame shows a thing, `worst_frame`: the largest error of a thing in a frame.
    """
    scale = depth_error(depth, truth, things == 0, alignment="median_ratio").scale
    error = (scale * depth - truth).abs() / truth
    result: dict[str, Any] = {"scale": scale, "mean": {}, "typical": {}}
    for name, over in (("mean", torch.mean), ("typical", torch.median)):
        worst = []
        for number in sorted(set(things.unique().tolist()) - {0}):
            inside = [error[f][things[f] == number] for f in range(len(error))]
            frames = [float(over(found)) for found in inside if len(found) >= LEAST_PIXELS]
            if frames:
                result[name][str(number)] = statistics.fmean(frames)
                worst.append(max(frames))
        if worst:
            result[name]["worst_frame"] = max(worst)
    return result
