"""Figures of a run: to tensorboard, and as lines on the console."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch

from neoverse_ns.console import say

if TYPE_CHECKING:
    from accelerate import Accelerator


class Figures:
    """Writes what all processes measured.

    Args:
        accelerator: Of the run; its trackers are started here.
        settings: Of the run, for tensorboard: plain values.
    """

    def __init__(self, accelerator: Accelerator, settings: dict[str, Any]) -> None:
        self._accelerator = accelerator
        plain = {name: value for name, value in settings.items() if isinstance(value, int | float | str | bool)}
        accelerator.init_trackers("figures", config=plain)

    def log(self, step: int, figures: dict[str, float], line: str = "") -> dict[str, float]:
        """Write the means over the processes; every process must call it with the same names.

        Args:
            step: They are of.
            figures: Of this process; what is NaN on a process does not count there.
            line: Beginning of a line to print with them; empty prints none.

        Returns:
            The means, NaN where no process has a number.
        """
        means = mean_over_processes(self._accelerator, figures)
        self._accelerator.log({name: value for name, value in means.items() if math.isfinite(value)}, step=step)
        if line:
            self.tell(f"{line}: " + ", ".join(f"{name} {value:.4g}" for name, value in means.items()))
        return means

    def picture(self, step: int, name: str, image: torch.Tensor) -> None:
        """Write an RGB picture [3, h, w] in [0, 1] of this process's, where it is the main one."""
        if self._accelerator.is_main_process:
            writer: Any = self._accelerator.get_tracker("tensorboard", unwrap=True)
            writer.add_image(name, image, step)

    def tell(self, message: str) -> None:
        """Print a line, once for all processes."""
        if self._accelerator.is_main_process:
            say(message)


def mean_over_processes(accelerator: Accelerator, figures: dict[str, float]) -> dict[str, float]:
    """Mean of each figure over the processes where it is a number; NaN where it is none anywhere."""
    values = torch.tensor(list(figures.values()), dtype=torch.float64)
    known = ~values.isnan()
    both = torch.stack([values.nan_to_num(nan=0.0, posinf=math.inf, neginf=-math.inf), known.to(torch.float64)])
    if accelerator.num_processes > 1:
        # MPS has no float64, and several processes never run on it.
        both = accelerator.reduce(both.to(accelerator.device), reduction="sum").cpu()  # pyright: ignore
    return dict(zip(figures, (both[0] / both[1]).tolist(), strict=True))
