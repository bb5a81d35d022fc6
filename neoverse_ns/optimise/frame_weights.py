"""What is learned per training frame, carried over to the frames between them."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def frame_weights(train: list[int], held_out: list[int]) -> Float[Tensor, "f n"]:
    """Weights that take a value per training frame to one per sampled frame, by linear interpolation.

    Args:
        train: Positions of the training frames among the sampled ones, ascending.
        held_out: Positions of the others.

    Returns:
        One row per sampled frame, each of sum 1. Frames outside the training frames follow the nearest.
    """
    count = len(train) + len(held_out)
    weights = torch.zeros(count, len(train))
    for frame in range(count):
        after = next((i for i, t in enumerate(train) if t >= frame), len(train) - 1)
        before = after if train[after] == frame or after == 0 else after - 1
        gap = train[after] - train[before]
        share = min((frame - train[before]) / gap, 1.0) if gap > 0 else 0.0
        weights[frame, before] += 1 - share
        weights[frame, after] += share
    return weights
