"""Steps whose loss or gradients are not finite: all processes leave them out together, and stop where they go on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from neoverse_ns.console import warn
from neoverse_ns.errors import RunError

if TYPE_CHECKING:
    from accelerate import Accelerator

IN_A_ROW = 10
"""After so many bad steps in a row nothing gets better by itself."""


class NonFiniteGuard:
    """Counts bad steps in a row.

    Args:
        accelerator: Whose processes must agree.
        in_a_row: Bad steps that end the run.
    """

    def __init__(self, accelerator: Accelerator, in_a_row: int = IN_A_ROW) -> None:
        self._accelerator, self._limit, self._count = accelerator, in_a_row, 0

    def good(self, step: int, values: dict[str, float], clips: list[str]) -> bool:
        """Whether every process may take this step; one number goes around, so all must ask.

        Args:
            step: It is of.
            values: This process's figures that must be finite, by name.
            clips: This process's clips, to be named where they are guilty.

        Raises:
            RunError: It is the last straw.
        """
        bad = [name for name, value in values.items() if not math.isfinite(value)]
        flag = torch.tensor(float(bool(bad)), device=self._accelerator.device)
        if not bool(self._accelerator.reduce(flag, reduction="sum") > 0):  # pyright: ignore
            self._count = 0
            return True
        self._count += 1
        if bad:
            warn(f"step {step} is left out, its {' and '.join(bad)} not finite (clips {', '.join(clips)})")
        if self._count >= self._limit:
            raise RunError(
                f"{self._count} steps in a row were not finite, the last one step {step}: go on from the last "
                "checkpoint with a lower learning rate, or look at the clips that the lines above name"
            )
        return False

    def state_dict(self) -> dict[str, int]:
        return {"in_a_row": self._count}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self._count = state["in_a_row"]
