"""Moving things against the truth: their masks, and the depth of each over time."""

from __future__ import annotations

import statistics
from typing import Any

from jaxtyping import Float, UInt8
from torch import Tensor

from neoverse_ns.metrics.depth import depth_error

LEAST_PIXELS = 24
"""Pixels of a thing in a frame from which on the frame counts for it."""


def score_depth(
    depth: Float[Tensor, "f h w"], truth: Float[Tensor, "f h w"], things: UInt8[Tensor, "f h w"]
) -> dict[str, Any]:
    """Relative depth errors of every thing, after the one scale that the still pixels have.

    The mean over a frame's pixels of |depth - truth| / truth; then over the frames that show the thing. A thing put at
    the depth of what is behind it is wrong by all of its distance from there, however good the still scene is.

    Args:
        depth: Of some frames, arbitrary scale.
        truth: True depth of the same.
        things: Number of the moving thing at every pixel; 0 where nothing moves.

    Returns:
        `scale`: what the depth was multiplied by; `things`: error by number (as text, for JSON); `frames`: each frame's
        errors by number; and where any frame shows a thing `mean` and `worst` over the things, and `worst_frame`: the
        largest error of any thing in any frame.
    """
    scale = depth_error(depth, truth, things == 0, alignment="median_ratio").scale
    frames: dict[str, list[float]] = {}
    for number in sorted(set(things.unique().tolist()) - {0}):
        shown = [f for f in range(len(depth)) if int((things[f] == number).sum()) >= LEAST_PIXELS]
        errors = [depth_error(scale * depth[f], truth[f], things[f] == number, alignment="none").abs_rel for f in shown]
        if errors:
            frames[str(number)] = errors
    means = {number: statistics.fmean(errors) for number, errors in frames.items()}
    result: dict[str, Any] = {"scale": scale, "things": means, "frames": frames}
    if means:
        result |= {"mean": statistics.fmean(means.values()), "worst": max(means.values())}
        result["worst_frame"] = max(max(errors) for errors in frames.values())
    return result
