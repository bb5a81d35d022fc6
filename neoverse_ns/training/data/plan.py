"""What a step trains on: how many frames of what size, and which samples, alike on all processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from neoverse_ns.errors import SettingsError
from neoverse_ns.training.data.draws import mixed, uniform_each

_KEYFRAMES, _ASPECT = 1, 2
_CHUNK = 2**14


@dataclass
class PlanConfig:
    """Sizes of batches; the defaults are the paper's, but for the bound, which it does not tell."""

    keyframes: tuple[int, int] = (2, 8)
    """Fewest and most keyframes of a sample; drawn anew for every step."""
    frames_per_gpu: int = 8
    """Keyframes that a process takes at once, as far as clips divide them: several clips of few, or one of many."""
    longest_side: int = 560
    """Of pictures, in pixels."""
    aspect: tuple[float, float] = (0.5, 2.0)
    """Least and largest width over height; drawn anew for every step. Equal ones are no choice."""
    patch: int = 14
    """Sides of pictures are multiples of it."""

    def validate(self) -> None:
        """Raises:
        SettingsError: A setting is out of range.
        """
        least, most = self.keyframes
        if not 2 <= least <= most:
            raise SettingsError(f"keyframes are {least} to {most}: give two numbers from 2 on, the smaller one first")
        if self.frames_per_gpu < 1:
            raise SettingsError(f"frames-per-gpu is {self.frames_per_gpu}: give 1 or more")
        low, high = self.aspect
        if not 0 < low <= high < float("inf"):
            raise SettingsError(f"the aspect is {low} to {high}: give width over height, the smaller one first")
        if self.patch < 1 or self.longest_side < self.patch or self.longest_side % self.patch:
            raise SettingsError(f"longest-side is {self.longest_side}: give a multiple of {self.patch}")

    def size(self, aspect: float) -> tuple[int, int]:
        """Height and width of pictures of about such a width over height."""
        longest = self.longest_side
        other = max(round(min(aspect, 1 / aspect) * longest / self.patch), 1) * self.patch
        return (other, longest) if aspect >= 1 else (longest, other)


@dataclass(frozen=True)
class StepPlan:
    """What one process does in a step.

    Attributes:
        keyframes: Of each sample; the same on all processes.
        height: Of pictures; the same on all processes.
        width: Of pictures; the same on all processes.
        sample_numbers: Its own samples, counted over all steps and processes.
    """

    keyframes: int
    height: int
    width: int
    sample_numbers: list[int]


class BatchPlan:
    """All steps of a training, as a function of the seed, the step and how many processes there are.

    Samples are numbered through: step by step, and within a step process by process. Where a run goes on with another
    number of processes, the numbers go on where they were, if it is told what came before.
    """

    def __init__(
        self, config: PlanConfig, seed: int, world_size: int, first_step: int = 0, history: Sequence[Sequence[int]] = ()
    ) -> None:
        """Plan it.

        Args:
            config: Sizes.
            seed: Of all draws.
            world_size: Processes from `first_step` on.
            first_step: The first that is taken with so many processes, if there were others before.
            history: What `history_at(first_step)` said of the plan before; none where nothing was changed since step 0.

        Raises:
            SettingsError: A setting is out of range.
        """
        config.validate()
        if world_size < 1:
            raise SettingsError(f"there are {world_size} processes: one is the least")
        self.config = config
        self._keyframes_key, self._aspect_key = mixed(seed, _KEYFRAMES), mixed(seed, _ASPECT)
        past = [(int(step), int(size)) for step, size in history if step < first_step]
        # Without a word of what was before, it was as now.
        same = bool(past) and past[-1][1] == world_size
        self._segments = past if same else [*past, (first_step if past else 0, world_size)]
        self._before = np.zeros(1, dtype=np.int64)

    def step(self, step: int, rank: int) -> StepPlan:
        """What a process does in a step.

        Raises:
            SettingsError: There is no such process.
        """
        world = self._world(np.array([step]))[0]
        if not 0 <= rank < world:
            raise SettingsError(f"process {rank} does not exist among {world}")
        number = np.array([step], dtype=np.uint64)
        keyframes = int(self._keyframes(np.array([step]))[0])
        low, high = self.config.aspect
        height, width = self.config.size(low + (high - low) * float(uniform_each(self._aspect_key, number)[0]))
        clips = max(self.config.frames_per_gpu // keyframes, 1)
        start = self.samples_before(step) + rank * clips
        return StepPlan(keyframes, height, width, list(range(start, start + clips)))

    def samples_before(self, step: int) -> int:
        """How many samples all processes together have had when a step begins."""
        while len(self._before) <= step:
            self._extend()
        return int(self._before[step])

    def step_of(self, sample: int) -> int:
        """The step that a sample belongs to."""
        while self._before[-1] <= sample:
            self._extend()
        return int(np.searchsorted(self._before, sample, side="right")) - 1

    def history_at(self, step: int) -> list[list[int]]:
        """What a checkpoint before a step keeps: from which step on there were how many processes."""
        return [[first, size] for first, size in self._segments if first < max(step, 1)]

    def _keyframes(self, steps: Int64[np.ndarray, " n"]) -> Int64[np.ndarray, " n"]:
        least, most = self.config.keyframes
        drawn = uniform_each(self._keyframes_key, steps.astype(np.uint64)) * (most - least + 1)
        return least + drawn.astype(np.int64)

    def _world(self, steps: Int64[np.ndarray, " n"]) -> Int64[np.ndarray, " n"]:
        firsts, sizes = (np.array(column, dtype=np.int64) for column in zip(*self._segments, strict=True))
        return sizes[np.maximum(np.searchsorted(firsts, steps, side="right") - 1, 0)]

    def _extend(self) -> None:
        done = len(self._before) - 1
        steps = np.arange(done, done + _CHUNK)
        clips = np.maximum(self.config.frames_per_gpu // self._keyframes(steps), 1) * self._world(steps)
        self._before = np.concatenate((self._before, self._before[-1] + np.cumsum(clips)))
