"""Which cameras look at each time, written as data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass


class Viewers(ABC):
    """Cameras by time."""

    @property
    @abstractmethod
    def label(self) -> str:
        """As in ids; empty where a set has one camera and nothing need be said."""

    @abstractmethod
    def at(self, time: int) -> tuple[str, ...]:
        """Names of the cameras that are meant at a time.

        Args:
            time: As frames carry it.
        """


@dataclass(frozen=True)
class Only(Viewers):
    """The same at all times."""

    names: tuple[str, ...]

    @property
    def label(self) -> str:
        return "c" + "+".join(self.names)

    def at(self, time: int) -> tuple[str, ...]:
        return self.names


@dataclass(frozen=True)
class Sole(Viewers):
    """The one camera of a set whose ids need not name it."""

    name: str = "0"

    @property
    def label(self) -> str:
        return ""

    def at(self, time: int) -> tuple[str, ...]:
        return (self.name,)


SOLE = Sole()
"""The camera of sets that have but one."""


@dataclass(frozen=True)
class AllButInTurn(Viewers):
    """All but one, which is each in turn: at time t the camera at place t mod their number."""

    names: tuple[str, ...]

    @property
    def label(self) -> str:
        return f"cbutturn{len(self.names)}"

    def at(self, time: int) -> tuple[str, ...]:
        left_out = time % len(self.names)
        return self.names[:left_out] + self.names[left_out + 1 :]
