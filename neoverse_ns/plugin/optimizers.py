"""Optimiser and schedule configs for nerfstudio."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Bool
from nerfstudio.engine.optimizers import OptimizerConfig
from nerfstudio.engine.schedulers import Scheduler, SchedulerConfig
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from neoverse_ns.errors import SettingsError
from neoverse_ns.optimise.row_adam import RowAdam


@dataclass
class RowAdamConfig(OptimizerConfig):
    """Adam over the Gaussians drawn in a step."""

    _target: type = RowAdam
    eps: float = 1e-15


@dataclass
class CosineSchedulerConfig(SchedulerConfig):
    """From the initial rate down to a fraction of it along half a cosine.

    Factors are Python floats: nerfstudio's own schedules leave NumPy scalars in checkpoints, which torch >= 2.6 refuses
    to load.
    """

    _target: type = field(default_factory=lambda: CosineScheduler)
    max_steps: int | None = None
    """Steps after which the rate stays at its lowest; None takes the run's own number of steps."""
    final: float = 0.1
    """Lowest rate as a fraction of the initial one."""


class _Cosine:
    """Factor at a step; a class and not a closure, so that it is saved with the checkpoint."""

    def __init__(self, max_steps: int, final: float) -> None:
        self.max_steps, self.final = max_steps, final

    def __call__(self, step: int) -> float:
        done = min(step / max(self.max_steps, 1), 1.0)
        return self.final + (1 - self.final) * 0.5 * (1 + math.cos(math.pi * done))


class CosineScheduler(Scheduler):
    """Builds the torch schedule."""

    config: CosineSchedulerConfig

    def get_scheduler(self, optimizer: Optimizer, lr_init: float) -> LRScheduler:
        if self.config.max_steps is None:
            raise SettingsError("the schedule's max_steps is not set: give a number of steps")
        return LambdaLR(optimizer, _Cosine(self.config.max_steps, self.config.final))


def rate(lr: float, final: float = 0.1) -> dict[str, Any]:
    """Entry of nerfstudio's `optimizers` for one parameter group."""
    return {"optimizer": RowAdamConfig(lr=lr), "scheduler": CosineSchedulerConfig(final=final)}


def fit_schedules(optimizers: dict[str, Any], steps: int) -> None:
    """Let every schedule that has no length of its own last `steps` steps."""
    for entry in optimizers.values():
        scheduler = entry["scheduler"]
        if isinstance(scheduler, CosineSchedulerConfig) and scheduler.max_steps is None:
            scheduler.max_steps = steps


@torch.no_grad()
def replace_rows(
    parameter: nn.Parameter, optimizer: Optimizer | None, keep: Bool[Tensor, " n"], added: Tensor
) -> nn.Parameter:
    """A parameter in the place of another: some of its rows, then new ones. What the optimiser remembers goes with it.

    It has to be another object, because the last step's graph still expects gradients of the old one's shape.

    Args:
        parameter: Rows of any shape [n, ...].
        optimizer: Whose only parameter it is; its state may hold tensors of the parameter's shape. None where it is
            not optimised.
        keep: Rows that stay, in order.
        added: Rows [m, ...] that follow them, which start without moments.
    """
    added = added.to(parameter)
    new = nn.Parameter(torch.cat([parameter[keep], added]), requires_grad=parameter.requires_grad)
    if optimizer is not None:
        state = optimizer.state.pop(parameter, {})
        for name, value in state.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                state[name] = torch.cat([value[keep], torch.zeros_like(added)])
        (group,) = optimizer.param_groups
        group["params"] = [new]
        if state:
            optimizer.state[new] = state
    return new
