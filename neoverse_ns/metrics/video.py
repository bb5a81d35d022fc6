"""Steadiness of a video in time; frames are RGB in [0, 1]."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor


def frame_change(frames: Float[Tensor, "n h w 3"]) -> float:
    """Mean absolute difference between neighbouring frames; NaN for fewer than two frames."""
    if len(frames) < 2:
        return math.nan
    # Frame by frame: a whole video's differences at once would double its memory.
    changes = [(after - before).abs().mean(dtype=torch.float64).item() for before, after in pairwise(frames)]
    return sum(changes) / len(changes)


def change_error(frames: Float[Tensor, "n h w 3"], truth: Float[Tensor, "n h w 3"]) -> float:
    """Mean absolute error of the change between neighbouring frames: flicker that the true video does not have.

    A constant error of colour costs nothing here, one that comes and goes does. NaN for fewer than two frames.
    """
    return frame_change(frames - truth)


def warping_error(
    frames: Float[Tensor, "n h w 3"], flow: Float[Tensor, "n-1 h w 2"], followed: Bool[Tensor, "n-1 h w"]
) -> float:
    """Mean absolute difference between each frame and the next one brought back along the flow: flicker less motion.

    After the warping error of Lai et al. ("Learning Blind Video Temporal Consistency", ECCV 2018), with absolute
    instead of squared differences, so that it compares with :func:`frame_change`. NaN where nothing is followed.

    Args:
        frames: The video.
        flow: Displacement in pixels (x, y) of what each frame shows until the next.
        followed: Pixels of which the flow is trusted; one that leads outside the image does not count.
    """
    height, width = frames.shape[1:3]
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    size = torch.tensor([width, height])
    total, count = 0.0, 0
    for (before, after), moved, trusted in zip(pairwise(frames), flow, followed, strict=True):
        place = (torch.stack([x, y], -1) + moved) / size
        back = F.grid_sample(
            after.permute(2, 0, 1)[None], 2 * place[None] - 1, padding_mode="border", align_corners=False
        )
        seen = trusted & ((place > 0) & (place < 1)).all(-1)
        total += (back[0].permute(1, 2, 0) - before).abs().mean(-1)[seen].sum(dtype=torch.float64).item()
        count += int(seen.sum())
    return total / count if count else math.nan
