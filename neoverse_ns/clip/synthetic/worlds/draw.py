"""Random numbers of a world."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from jaxtyping import Float64

Choice = TypeVar("Choice")


class Draw:
    """A stream of draws from a seed; Python's own generator keeps its sequence on every machine and version."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self._random.random()

    def about(self, spread: float) -> float:
        """Between minus and plus `spread`."""
        return spread * (2 * self._random.random() - 1)

    def chance(self, share: float) -> bool:
        return self._random.random() < share

    def one_of(self, choices: Sequence[Choice]) -> Choice:
        return choices[int(self._random.random() * len(choices))]

    def count(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return low + int(self._random.random() * (high - low + 1))

    def vector(self, spread: float) -> tuple[float, float, float]:
        return (self.about(spread), self.about(spread), self.about(spread))

    def direction(self) -> Float64[np.ndarray, "3"]:
        """A unit vector, all directions alike (Archimedes: heights are uniform)."""
        height, turn = self.about(1.0), self.between(0.0, 2 * math.pi)
        level = math.sqrt(1 - height * height)
        return np.array([level * math.cos(turn), height, level * math.sin(turn)])
