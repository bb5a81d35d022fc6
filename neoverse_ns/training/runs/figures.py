"""Figures of a run: to tensorboard, to a file of JSON lines, and to the console."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from neoverse_ns.console import say
from neoverse_ns.training.runs.checkpoints import told_where

if TYPE_CHECKING:
    from accelerate import Accelerator

FIGURES = "figures.jsonl"


class Figures:
    """Writes what all processes measured.

    Args:
        accelerator: Of the run; its trackers are started when there is something to write.
        output: Folder of the run.
        settings: Of the run, for tensorboard: plain values.
    """

    def __init__(self, accelerator: Accelerator, output: Path, settings: dict[str, Any]) -> None:
        self._accelerator, self._file = accelerator, output / FIGURES
        self._plain = {name: value for name, value in settings.items() if isinstance(value, int | float | str | bool)}
        self._started = False

    def log(
        self, step: int, figures: Mapping[str, float | list[float]], line: str, group: str = ""
    ) -> dict[str, float]:
        """Write the means over the processes; every process must call it with the same names.

        Args:
            step: They are of.
            figures: Of this process: one number, or as many as there are samples. What is NaN does not count.
            line: Beginning of a line to print with them.
            group: In front of their names, in tensorboard and in the file.

        Returns:
            The means, NaN where no process has a number.

        Raises:
            RunError: The file cannot be written.
        """
        lists: dict[str, list[float]] = {
            name: value if isinstance(value, list) else [float(value)] for name, value in figures.items()
        }
        means = mean_over_processes(self._accelerator, lists)
        known = {f"{group}{name}": value for name, value in means.items() if math.isfinite(value)}
        self._start()
        self._accelerator.log(known, step=step)
        if self._accelerator.is_main_process:
            with told_where(self._file), self._file.open("a", encoding="utf8") as file:
                file.write(json.dumps({"step": step, **known}) + "\n")
        said = ", ".join(f"{name} {value:.4g}" for name, value in means.items() if not math.isnan(value))
        self.tell(f"{line}: {said}")
        return means

    def picture(self, step: int, name: str, image: torch.Tensor) -> None:
        """Write an RGB picture [3, h, w] in [0, 1] of this process's, where it is the main one."""
        if self._accelerator.is_main_process:
            self._start()
            writer: Any = self._accelerator.get_tracker("tensorboard", unwrap=True)
            writer.add_image(name, image, step)

    def _start(self) -> None:
        """Make files only now: a run that fails before its first figures leaves none."""
        if not self._started:
            self._started = True
            with told_where(self._file):
                self._accelerator.init_trackers("figures", config=self._plain)

    def tell(self, message: str) -> None:
        """Print a line, once for all processes."""
        if self._accelerator.is_main_process:
            say(message)


def mean_over_processes(accelerator: Accelerator, figures: Mapping[str, list[float]]) -> dict[str, float]:
    """Mean of each figure over all numbers of all processes; NaN where there is none."""
    numbers = [[value for value in values if not math.isnan(value)] for values in figures.values()]
    both = torch.tensor([[sum(values), len(values)] for values in numbers], dtype=torch.float64).reshape(-1, 2)
    if accelerator.num_processes > 1:
        both = accelerator.reduce(both.to(accelerator.device), reduction="sum").cpu()  # pyright: ignore
    return dict(zip(figures, (both[:, 0] / both[:, 1]).tolist(), strict=True))
