"""Schedules and optimisers in checkpoints that torch reads without trusting them."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from nerfstudio.engine.optimizers import Optimizers

from neoverse_ns.errors import SettingsError
from neoverse_ns.optimise.row_adam import RowAdam
from neoverse_ns.plugin.optimizers import CosineSchedulerConfig, fit_schedules, rate


def cosine(max_steps: int | None, final: float) -> torch.optim.lr_scheduler.LRScheduler:
    parameter = torch.nn.Parameter(torch.zeros(2))
    optimizer = torch.optim.SGD([parameter], lr=2.0)
    return CosineSchedulerConfig(max_steps=max_steps, final=final).setup().get_scheduler(optimizer, lr_init=2.0)


def test_rates_follow_half_a_cosine_and_stay_low() -> None:
    schedule = cosine(max_steps=10, final=0.2)
    rates = []
    for _ in range(14):
        rates.append(schedule.get_last_lr()[0])
        schedule.optimizer.step()
        schedule.step()
    expected = [2.0 * (0.2 + 0.8 * 0.5 * (1 + math.cos(math.pi * min(i, 10) / 10))) for i in range(14)]
    assert rates == pytest.approx(expected)
    assert all(type(value) is float for value in rates)
    assert rates[5] == pytest.approx(2.0 * 0.6)


def test_no_steps_mean_the_lowest_rate_at_once_after_the_first() -> None:
    schedule = cosine(max_steps=0, final=0.5)
    schedule.optimizer.step()
    schedule.step()
    assert schedule.get_last_lr() == [1.0]


def test_schedules_last_as_long_as_the_run_unless_told_otherwise() -> None:
    own = {"optimizer": None, "scheduler": CosineSchedulerConfig(max_steps=7)}
    config = {"means": rate(0.1), "quats": own, "sh": {"optimizer": None, "scheduler": None}}
    fit_schedules(config, 42)
    assert config["means"]["scheduler"].max_steps == 42
    assert own["scheduler"].max_steps == 7
    with pytest.raises(SettingsError, match="max_steps"):
        cosine(max_steps=None, final=0.1)


def test_optimisers_survive_a_checkpoint(tmp_path: Path) -> None:
    def build() -> tuple[torch.nn.Parameter, Optimizers]:
        parameter = torch.nn.Parameter(torch.arange(8.0).reshape(4, 2))
        config = {"means": rate(0.1)}
        fit_schedules(config, 20)
        return parameter, Optimizers(config, {"means": [parameter]})

    def step(parameter: torch.nn.Parameter, optimizers: Optimizers, number: int) -> None:
        optimizers.zero_grad_all()
        (parameter * torch.tensor([[1.0, -2.0]]) * (number + 1)).sum().backward()
        optimizers.optimizer_step_all()
        optimizers.scheduler_step_all(number)

    parameter, optimizers = build()
    assert isinstance(optimizers.optimizers["means"], RowAdam)
    for number in range(5):
        step(parameter, optimizers, number)
    state = {
        "value": parameter.detach(),
        "optimizers": {name: value.state_dict() for name, value in optimizers.optimizers.items()},
        "schedulers": {name: value.state_dict() for name, value in optimizers.schedulers.items()},
    }
    torch.save(state, tmp_path / "state.ckpt")
    for number in range(5, 9):
        step(parameter, optimizers, number)

    loaded = torch.load(tmp_path / "state.ckpt", weights_only=True)
    again, continued = build()
    again.data.copy_(loaded["value"])
    continued.load_optimizers(loaded["optimizers"])
    continued.load_schedulers(loaded["schedulers"])
    for number in range(5, 9):
        step(again, continued, number)
    assert torch.equal(again, parameter)
