"""The schedule of all learning rates."""

from __future__ import annotations

import math


class Cosine:
    """Factor on the rate at a step: from 1 down to `final` along half a cosine over `steps` steps, then constant.

    A class and not a closure, so that it can be saved with a checkpoint; Python floats, because torch refuses to load
    NumPy scalars from files that it does not trust.
    """

    def __init__(self, steps: int, final: float) -> None:
        self.steps, self.final = steps, final

    def __call__(self, step: int) -> float:
        done = min(step / max(self.steps, 1), 1.0)
        return self.final + (1 - self.final) * 0.5 * (1 + math.cos(math.pi * done))
