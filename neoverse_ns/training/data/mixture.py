"""Which clip a sample is of: sources by their weights, each in an order of its own that leaves none out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from neoverse_ns.errors import SettingsError
from neoverse_ns.training.data.draws import mixed
from neoverse_ns.training.data.permutation import Permutation

_BLOCK, _ORDER, _AGAIN = 3, 4, 5
BLOCK = 256
"""Samples over which the sources' shares are kept to one clip; what is due of a clip goes to the next block."""


@dataclass
class CurriculumConfig:
    """First what is static, then all; off by default, as in the paper."""

    static_until: int = 0
    """Until this step all samples are of static clips."""
    mixed_from: int = 0
    """From this step on sources have their own weights; between both their share grows evenly. 0 is no curriculum."""

    def validate(self) -> None:
        """Raises:
        SettingsError: It ends before it begins.
        """
        if not 0 <= self.static_until <= self.mixed_from:
            steps = f"static-until is {self.static_until}, mixed-from {self.mixed_from}"
            raise SettingsError(f"{steps}: give two steps, the first not after the second")

    def static_share(self, step: int, own: float) -> float:
        """Share of static sources at a step.

        Args:
            step: Of the training.
            own: Their share by their weights.
        """
        if step >= self.mixed_from:
            return own
        late = (step - self.static_until) / max(self.mixed_from - self.static_until, 1)
        return 1 + (own - 1) * max(late, 0.0)


@dataclass(frozen=True)
class Chosen:
    """A clip for a sample.

    Attributes:
        source: Number of its source.
        row: Number of its row there.
        epoch: How often the source has been gone through before.
    """

    source: int
    row: int
    epoch: int


class Mixture:
    """The clip of every sample, as a function of the seed and the sample's number."""

    def __init__(
        self,
        sizes: Sequence[int],
        weights: Sequence[float],
        seed: int,
        static: Sequence[bool] = (),
        curriculum: CurriculumConfig | None = None,
        step_of: Callable[[int], int] | None = None,
    ) -> None:
        """Mix sources.

        Args:
            sizes: Clips of each.
            weights: Of each; only their proportions count.
            seed: Of all orders.
            static: Which of them hold static clips alone; only a curriculum asks.
            curriculum: None for none.
            step_of: The step of a sample; only a curriculum asks.

        Raises:
            SettingsError: No source has clips and weight; or a curriculum has no static source to begin with.
        """
        self._curriculum = curriculum or CurriculumConfig()
        self._curriculum.validate()
        usable = [weight if size else 0.0 for size, weight in zip(sizes, weights, strict=True)]
        if not usable or min(usable) < 0 or not 0 < sum(usable) < float("inf"):
            raise SettingsError("no clips to train on: give at least one data set that has some, with a weight above 0")
        self.sizes, self.seed = list(sizes), seed
        self._weights = [weight / sum(usable) for weight in usable]
        self._static, self._step_of = list(static) or [False] * len(sizes), step_of
        own = sum(weight for weight, still in zip(self._weights, self._static, strict=True) if still)
        if self._curriculum.mixed_from and (step_of is None or own == 0):
            raise SettingsError("a curriculum from static clips on needs some: no data set has static clips alone")
        self._own_static = own
        self._starts: list[list[int]] = [[0] * len(sizes)]
        self._due = [0.0] * len(sizes)

    def choose(self, sample: int, attempt: int = 0) -> Chosen:
        """The clip of a sample.

        Args:
            sample: Its number.
            attempt: 0 for the clip whose turn it is; 1, 2, ... for those to take in its place, each from an order of
                its own of the same source.
        """
        block, slot = divmod(sample, BLOCK)
        while len(self._starts) <= block + 1:
            self._extend()
        counts = tuple(end - start for start, end in zip(*self._starts[block : block + 2], strict=True))
        source, before = _block(self.seed, block, counts)[slot]
        epoch, position = divmod(self._starts[block][source] + before, self.sizes[source])
        return Chosen(source, _order(self.sizes[source], self.seed, source, epoch, attempt)(position), epoch)

    def weights_at(self, step: int) -> list[float]:
        """Shares of the sources at a step; their sum is 1."""
        if not self._curriculum.mixed_from or self._own_static in (0.0, 1.0):
            return list(self._weights)
        share = self._curriculum.static_share(step, self._own_static)
        factors = share / self._own_static, (1 - share) / (1 - self._own_static)
        return [weight * factors[not still] for weight, still in zip(self._weights, self._static, strict=True)]

    def _extend(self) -> None:
        """Count one more block: by largest remainder of what is due, so that no source gains or loses over time."""
        block = len(self._starts) - 1
        step = 0 if self._step_of is None else self._step_of(block * BLOCK)
        due = [left + BLOCK * weight for left, weight in zip(self._due, self.weights_at(step), strict=True)]
        counts = [max(int(value // 1), 0) for value in due]
        while (missing := BLOCK - sum(counts)) != 0:
            wanting = [value - count for value, count in zip(due, counts, strict=True)]
            if missing > 0:
                counts[wanting.index(max(wanting))] += 1
            else:
                # What was due to be less than none could not be taken away where it was.
                counts[min((w, i) for i, w in enumerate(wanting) if counts[i])[1]] -= 1
        self._due = [value - count for value, count in zip(due, counts, strict=True)]
        self._starts.append([start + count for start, count in zip(self._starts[-1], counts, strict=True)])


@lru_cache(maxsize=64)
def _block(seed: int, block: int, counts: tuple[int, ...]) -> list[tuple[int, int]]:
    """The source of each sample of a block, in random order, and how many of that source come before it there."""
    sources = np.repeat(np.arange(len(counts)), counts)[Permutation(BLOCK, seed, _BLOCK, block).many(np.arange(BLOCK))]
    passed = [0] * len(counts)
    found = []
    for source in sources.tolist():
        found.append((source, passed[source]))
        passed[source] += 1
    return found


@lru_cache(maxsize=256)
def _order(size: int, seed: int, source: int, epoch: int, attempt: int) -> Permutation:
    return Permutation(size, mixed(seed, _AGAIN if attempt else _ORDER, source, epoch, attempt))
