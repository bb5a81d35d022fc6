"""All that a run needs to go on as if it had not stopped: written together, read together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from neoverse_ns.errors import UNREADABLE, RunError
from neoverse_ns.training.data.tally import Tally
from neoverse_ns.training.reconstructor.ema import MovingAverage
from neoverse_ns.training.runs.checkpoints import told_where
from neoverse_ns.training.runs.non_finite import NonFiniteGuard

if TYPE_CHECKING:
    from accelerate import Accelerator

_SHARED = "state"
"""What accelerate saves: weights, optimiser, random states."""


@dataclass
class RunState:
    """Of one process: what accelerate does not know of.

    Attributes:
        guard: Bad steps in a row.
        tally: Bad clips.
        average: Of the weights; None without.
        history: From which step on there were how many processes.
    """

    guard: NonFiniteGuard
    tally: Tally
    average: MovingAverage | None = None
    history: list[list[int]] | None = None

    def save(self, accelerator: Accelerator, folder: Path) -> None:
        """Write it, with what accelerate knows; on all processes.

        Raises:
            RunError: It cannot be written.
        """
        mine: dict[str, Any] = {
            "guard": self.guard.state_dict(),
            "tally": self.tally.state_dict(),
            "history": self.history,
            "average": None if self.average is None else self.average.state_dict(),
        }
        with told_where(folder):
            accelerator.save_state(str(folder / _SHARED))
            torch.save(mine, _own_file(folder, accelerator.process_index))

    def load(self, accelerator: Accelerator, folder: Path) -> None:
        """The inverse, on all processes, of which there may be others than before.

        Raises:
            RunError: It is damaged, or of another run's settings.
        """
        try:
            accelerator.load_state(str(folder / _SHARED))
            own = _own_file(folder, accelerator.process_index)
            # A process that was not there before has found no bad clip yet.
            new = not own.is_file()
            mine = torch.load(_own_file(folder, 0) if new else own, map_location="cpu", weights_only=True)
            self.history = mine["history"]
            self.guard.load_state_dict(mine["guard"])
            if not new:
                self.tally.load_state_dict(mine["tally"])
            if self.average is not None and mine["average"] is not None:
                self.average.load_state_dict(mine["average"])
        except UNREADABLE as error:
            if isinstance(error, RunError):
                raise
            reason = " ".join(str(error).split())[:200]
            raise RunError(
                f"cannot go on from {folder} ({reason}): it is damaged, or its network or optimiser were set up "
                "otherwise; delete it, or choose another output folder"
            ) from error


def _own_file(folder: Path, process: int) -> Path:
    return folder / f"process-{process}.pt"
