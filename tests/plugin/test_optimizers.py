"""Schedules and optimisers in checkpoints that torch reads without trusting them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from nerfstudio.engine.optimizers import Optimizers

from neoverse_ns.errors import SettingsError
from neoverse_ns.optimise.config import FINAL_RATE
from neoverse_ns.optimise.cosine import Cosine
from neoverse_ns.optimise.row_adam import RowAdam
from neoverse_ns.plugin.optimizers import CosineSchedulerConfig, fit_schedules, rate


def test_schedules_last_as_long_as_the_run_unless_told_otherwise() -> None:
    own = {"optimizer": None, "scheduler": CosineSchedulerConfig(max_steps=7)}
    config = {"means": rate(0.1), "quats": own, "sh": {"optimizer": None, "scheduler": None}}
    fit_schedules(config, 42)
    assert config["means"]["scheduler"].max_steps == 42
    assert own["scheduler"].max_steps == 7
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(2))], lr=2.0)
    schedule = config["means"]["scheduler"].setup().get_scheduler(optimizer, lr_init=2.0)
    shape = Cosine(42, FINAL_RATE)
    assert [schedule.lr_lambdas[0](step) for step in range(50)] == [shape(step) for step in range(50)]
    with pytest.raises(SettingsError, match="max_steps"):
        CosineSchedulerConfig(max_steps=None, final=0.1).setup().get_scheduler(optimizer, lr_init=2.0)


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
