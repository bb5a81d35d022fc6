"""Learning rate over the steps: a linear rise, then half a cosine down to a share of the peak."""

from __future__ import annotations

import math


def rate_factor(step: int, warm_up: int, steps: int, end: float) -> float:
    """What the peak learning rate is multiplied by at an optimiser step, counted from 0.

    Args:
        step: From 0 to `steps` - 1; later ones are as the last.
        warm_up: Steps of the rise; the last of them is the first with the peak itself.
        steps: In all.
        end: Factor that the cosine arrives at after the last step.
    """
    if step < warm_up:
        return (step + 1) / warm_up
    done = min((step - warm_up) / max(steps - warm_up, 1), 1.0)
    return end + (1 - end) * 0.5 * (1 + math.cos(math.pi * done))
