"""Optimiser and schedule configs for nerfstudio."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nerfstudio.engine.optimizers import OptimizerConfig
from nerfstudio.engine.schedulers import Scheduler, SchedulerConfig
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from neoverse_ns.errors import SettingsError
from neoverse_ns.optimise.config import FINAL_RATE
from neoverse_ns.optimise.cosine import Cosine
from neoverse_ns.optimise.row_adam import RowAdam


@dataclass
class RowAdamConfig(OptimizerConfig):
    """Adam over the Gaussians drawn in a step."""

    _target: type = RowAdam
    eps: float = 1e-15


@dataclass
class CosineSchedulerConfig(SchedulerConfig):
    """See :class:`neoverse_ns.optimise.cosine.Cosine`."""

    _target: type = field(default_factory=lambda: CosineScheduler)
    max_steps: int | None = None
    """Steps after which the rate stays at its lowest; None takes the run's own number of steps."""
    final: float = FINAL_RATE
    """Lowest rate as a fraction of the initial one."""


class CosineScheduler(Scheduler):
    """Builds the torch schedule."""

    config: CosineSchedulerConfig

    def get_scheduler(self, optimizer: Optimizer, lr_init: float) -> LRScheduler:
        if self.config.max_steps is None:
            raise SettingsError("the schedule's max_steps is not set: give a number of steps")
        return LambdaLR(optimizer, Cosine(self.config.max_steps, self.config.final))


def rate(lr: float, final: float = FINAL_RATE) -> dict[str, Any]:
    """Entry of nerfstudio's `optimizers` for one parameter group."""
    return {"optimizer": RowAdamConfig(lr=lr), "scheduler": CosineSchedulerConfig(final=final)}


def fit_schedules(optimizers: dict[str, Any], steps: int) -> None:
    """Let every schedule that has no length of its own last `steps` steps."""
    for entry in optimizers.values():
        scheduler = entry["scheduler"]
        if isinstance(scheduler, CosineSchedulerConfig) and scheduler.max_steps is None:
            scheduler.max_steps = steps
