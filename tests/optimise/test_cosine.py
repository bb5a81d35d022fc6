"""The schedule of learning rates against its formula."""

from __future__ import annotations

import math

import pytest
import torch

from neoverse_ns.optimise.cosine import Cosine


def schedule(steps: int, final: float) -> torch.optim.lr_scheduler.LambdaLR:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(2))], lr=2.0)
    return torch.optim.lr_scheduler.LambdaLR(optimizer, Cosine(steps, final))


def test_rates_follow_half_a_cosine_and_stay_low() -> None:
    rates, cosine = [], schedule(steps=10, final=0.2)
    for _ in range(14):
        rates.append(cosine.get_last_lr()[0])
        cosine.optimizer.step()
        cosine.step()
    expected = [2.0 * (0.2 + 0.8 * 0.5 * (1 + math.cos(math.pi * min(i, 10) / 10))) for i in range(14)]
    assert rates == pytest.approx(expected)
    assert all(type(value) is float for value in rates)
    assert rates[5] == pytest.approx(2.0 * 0.6)


def test_no_steps_mean_the_lowest_rate_at_once_after_the_first() -> None:
    cosine = schedule(steps=0, final=0.5)
    cosine.optimizer.step()
    cosine.step()
    assert cosine.get_last_lr() == [1.0]
