"""How fast a run goes, and how much of its time it waits for data."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")


class Pace:
    """Frames and seconds since it was made or last read."""

    def __init__(self) -> None:
        self._total = _Span()
        self._since = _Span()

    def waited(self, batches: Iterator[Item]) -> Item:
        """The next of `batches`; the time until it is there counts as waiting."""
        started = time.perf_counter()
        item = next(batches)
        waited = time.perf_counter() - started
        self._total.waited += waited
        self._since.waited += waited
        return item

    def count(self, frames: int, steps: float = 1) -> None:
        """Note that so many frames were learned from in a step, or in a part of one, by all processes."""
        for span in (self._total, self._since):
            span.frames += frames
            span.steps += steps

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Time within the block is spent on something else than learning, and does not count."""
        started = time.perf_counter()
        try:
            yield
        finally:
            for span in (self._total, self._since):
                span.started += time.perf_counter() - started

    def read(self) -> dict[str, float]:
        """`seconds_per_step`, `frames_per_second` and the share `waiting` since the last reading."""
        figures = self._since.figures()
        self._since = _Span()
        return figures

    def whole(self) -> dict[str, float]:
        """The same since the beginning."""
        return self._total.figures()


class _Span:
    def __init__(self) -> None:
        self.started, self.waited, self.frames, self.steps = time.perf_counter(), 0.0, 0, 0.0

    def figures(self) -> dict[str, float]:
        seconds = max(time.perf_counter() - self.started, 1e-9)
        return {
            "seconds_per_step": seconds / self.steps if self.steps else math.nan,
            "frames_per_second": self.frames / seconds,
            "waiting": self.waited / seconds,
        }
