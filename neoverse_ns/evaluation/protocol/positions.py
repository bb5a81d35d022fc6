"""Places on a list of times, written as data, so that what a rule does and what its id says cannot differ."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal


class Positions(ABC):
    """Some places on a list of times; 0 is the first time, whatever its number."""

    @property
    @abstractmethod
    def label(self) -> str:
        """As in ids."""

    @abstractmethod
    def on(self, count: int) -> list[int]:
        """The places, rising; may lie beyond the list, which is then too short for whoever asked.

        Args:
            count: Length of the list.
        """


@dataclass(frozen=True)
class Span(Positions):
    """As Python's slices: every `step`-th from `start` up to but without `stop`; None is the end of the list."""

    start: int = 0
    stop: int | None = None
    step: int = 1

    @property
    def label(self) -> str:
        stop = "" if self.stop is None else self.stop
        return f"{self.start}:{stop}" + (f":{self.step}" if self.step > 1 else "")

    def on(self, count: int) -> list[int]:
        return list(range(self.start, count if self.stop is None else self.stop, self.step))


@dataclass(frozen=True)
class Spread(Positions):
    """So many, evenly from one place to another, both included; between whole places the lower or the nearer one."""

    first: int
    last: int
    count: int
    rounding: Literal["down", "near"] = "down"

    @property
    def label(self) -> str:
        return f"lin{self.first}:{self.last}:{self.count}" + ("" if self.rounding == "down" else "r")

    def on(self, count: int) -> list[int]:
        gaps, length = max(self.count - 1, 1), self.last - self.first
        # Whole numbers throughout: 63 / 31 times 31 in floating point may fall below 63.
        half = gaps if self.rounding == "near" else 0
        return [self.first + (2 * length * place + half) // (2 * gaps) for place in range(self.count)]


@dataclass(frozen=True)
class Midpoints(Positions):
    """The place halfway between each two neighbours, the lower one of two."""

    of: Positions

    @property
    def label(self) -> str:
        return f"mid({self.of.label})"

    def on(self, count: int) -> list[int]:
        places = self.of.on(count)
        return [(a + b) // 2 for a, b in pairwise(places) if b - a > 1]


@dataclass(frozen=True)
class Between(Positions):
    """All places between the first and the last of some that are none of these."""

    of: Positions

    @property
    def label(self) -> str:
        return f"between({self.of.label})"

    def on(self, count: int) -> list[int]:
        places = self.of.on(count)
        taken = set(places)
        return [place for place in range(places[0], places[-1]) if place not in taken] if places else []


@dataclass(frozen=True)
class Inner(Positions):
    """All but some at either end."""

    start: int
    end: int

    @property
    def label(self) -> str:
        return f"{self.start}:-{self.end}"

    def on(self, count: int) -> list[int]:
        return list(range(self.start, count - self.end))
