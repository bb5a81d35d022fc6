"""When rounds are made, when the run ends, and whose turn a step is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Plan:
    """What is still to come in a run.

    Attributes:
        rounds: Steps before which a round is made, ascending.
        end: First step that is not taken.
        further: Steps that follow the last round.
        movable: Whether the first round may come earlier, when photometric optimisation is over sooner than planned.
    """

    rounds: tuple[int, ...]
    end: int
    further: int
    movable: bool

    def over_at(self, step: int) -> Plan:
        """The plan where photometric optimisation ends before `step`."""
        if not self.movable:
            return self
        return Plan((step,), step + self.further, self.further, False)


def make_plan(start: int, steps: int, at_steps: tuple[int, ...], further: int, made: list[int]) -> Plan:
    """The rounds of a run, or of what is left of it.

    A round that was due before `start` and never made is made at once. Without `at_steps` one round is made after the
    photometric steps, unless the run has had one already.

    Args:
        start: First step; more than 0 where a run is resumed.
        steps: Photometric steps from there on.
        at_steps: Steps before which rounds are wanted; empty for the default.
        further: Steps that follow the last round.
        made: Steps before which rounds were made, as far as the scene has seen them.
    """
    photometric = start + steps
    if at_steps:
        due = [step for step in at_steps if not any(done >= step for done in made)]
        rounds = tuple(sorted({max(step, start) for step in due}))
    else:
        rounds = () if made else (photometric,)
    end = max(photometric, rounds[-1] + further) if rounds else photometric
    return Plan(rounds, end, further, movable=not at_steps and bool(rounds))


@dataclass(frozen=True)
class Interleaving:
    """Steps shared out between frames of the clip and refined views.

    Attributes:
        start: First step that may take a view.
        share: Of the steps from there on that take one, in [0, 1).
        count: Number of views.
    """

    start: int
    share: float
    count: int

    def views_before(self, step: int) -> int:
        """How many steps before `step` took a view."""
        return math.floor(max(step - self.start, 0) * self.share + 1e-9)

    def view(self, step: int) -> int | None:
        """The view that `step` takes, each once per pass in an order drawn anew for every pass; None for a frame."""
        place = self.views_before(step)
        if self.count == 0 or step < self.start or self.views_before(step + 1) == place:
            return None
        generator = torch.Generator().manual_seed(place // self.count)
        return int(torch.randperm(self.count, generator=generator)[place % self.count])

    def frames_before(self, step: int) -> int:
        """How many steps before `step` took a frame of the clip."""
        return step - (self.views_before(step) if self.count else 0)
