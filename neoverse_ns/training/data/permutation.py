"""A random order of any number of things that takes no memory: any place in it is found at once."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from neoverse_ns.errors import SettingsError
from neoverse_ns.training.data.draws import mixed, mixed_each, mixed_on

_ROUNDS = 6


class Permutation:
    """A seeded permutation of 0..size-1: a Feistel network over the next power of four, walked until it is inside.

    A Feistel network of any round function maps its range onto itself (Luby and Rackoff 1988), and so does walking
    along its cycles until the value is in range (Black and Rogaway 2002). Its range is below four times `size`, so that
    four steps are the most that are expected.
    """

    def __init__(self, size: int, *seed: int) -> None:
        """Of so many numbers, in the order that belongs to the seed.

        Raises:
            SettingsError: There is nothing to permute.
        """
        if not 1 <= size < 2**62:
            raise SettingsError(f"an order of {size} clips makes no sense: give a data set that holds some")
        self.size = size
        self._half = np.uint64(max(((size - 1).bit_length() + 1) // 2, 1))
        self._mask = np.uint64((1 << int(self._half)) - 1)
        self._keys = [mixed(*seed, number) for number in range(_ROUNDS)]

    def __len__(self) -> int:
        return self.size

    def __call__(self, position: int) -> int:
        """What stands at a position.

        Raises:
            IndexError: The position is not one of 0..size-1.
        """
        if not 0 <= position < self.size:
            raise IndexError(f"a position in an order of {self.size} is outside it")
        half, mask = int(self._half), int(self._mask)
        while True:
            left, right = position >> half, position & mask
            for key in self._keys:
                left, right = right, left ^ (mixed_on(key, right) & mask)
            position = (left << half) | right
            if position < self.size:
                return position

    def many(self, positions: Int64[np.ndarray, " n"]) -> Int64[np.ndarray, " n"]:
        """What stands at each of some positions.

        Raises:
            IndexError: A position is not one of 0..size-1.
        """
        if positions.size and not (positions.min() >= 0 and positions.max() < self.size):
            raise IndexError(f"a position in an order of {self.size} is outside it")
        values = self._once(positions.astype(np.uint64))
        while (outside := values >= np.uint64(self.size)).any():
            values[outside] = self._once(values[outside])
        return values.astype(np.int64)

    def _once(self, values: np.ndarray) -> np.ndarray:
        left, right = values >> self._half, values & self._mask
        for key in self._keys:
            left, right = right, left ^ (mixed_each(key, right) & self._mask)
        return (left << self._half) | right
