"""The learning rate against its closed form, and another library's cosine."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.training.reconstructor.schedule import rate_factor


def test_rises_in_equal_steps_to_the_peak():
    assert [rate_factor(step, 4, 100, 0.1) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]


def test_falls_as_torch_anneals():
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    annealing = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=90, eta_min=0.1)
    for step in range(10, 100):
        assert rate_factor(step, 10, 100, 0.1) == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-9)
        optimizer.step()
        annealing.step()
    assert rate_factor(100, 10, 100, 0.1) == pytest.approx(0.1)
    assert rate_factor(1000, 10, 100, 0.1) == pytest.approx(0.1)


def test_works_without_a_rise_and_with_nothing_but_one():
    assert rate_factor(0, 0, 10, 0.1) == 1
    assert rate_factor(9, 10, 10, 0.1) == 1
    assert rate_factor(10, 10, 10, 0.1) == 1
