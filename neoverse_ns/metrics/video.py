"""Steadiness of a video in time; frames are RGB in [0, 1]."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor


def frame_change(frames: Float[Tensor, "n h w 3"]) -> float:
    """Mean absolute difference between neighbouring frames; NaN for fewer than two frames."""
    if len(frames) < 2:
        return math.nan
    # Frame by frame: a whole video's differences at once would double its memory.
    changes = [(after - before).abs().mean(dtype=torch.float64).item() for before, after in pairwise(frames)]
    return sum(changes) / len(changes)


def temporal_flicker_raw(frames: Float[Tensor, "n h w 3"]) -> float:
    """Temporal flickering of VBench (Huang et al., CVPR 2024) as a score, 1 for a still video.

    "Raw" because VBench keeps only videos of still scenes, whereas here every motion counts as flicker.
    """
    return 1 - frame_change(frames)


def change_error(frames: Float[Tensor, "n h w 3"], truth: Float[Tensor, "n h w 3"]) -> float:
    """Mean absolute error of the change between neighbouring frames: flicker that the true video does not have.

    A constant error of colour costs nothing here, one that comes and goes does. NaN for fewer than two frames.
    """
    return frame_change(frames - truth)
