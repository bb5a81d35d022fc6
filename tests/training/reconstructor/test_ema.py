"""The moving average against its sum."""

from __future__ import annotations

import copy

import pytest
import torch

from neoverse_ns.training.reconstructor.ema import MovingAverage


def test_is_the_sum_that_it_is_defined_by():
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    average = MovingAverage([weight], decay=0.5)
    expected = weight.detach().clone()
    for step in range(6):
        with torch.no_grad():
            weight += step
        average.update()
        decay = min(0.5, 1 - (1 + step) ** -0.75)
        expected = decay * expected + (1 - decay) * weight.detach()
    torch.testing.assert_close(average.averages[0], expected)
    # The first update forgets where it began.
    fresh = MovingAverage([weight], decay=0.9999)
    with torch.no_grad():
        weight.fill_(7)
    fresh.update()
    assert torch.equal(fresh.averages[0], weight.detach())


def test_stands_in_for_the_weights_and_gives_them_back():
    weight = torch.nn.Parameter(torch.tensor([1.0, 3.0]))
    average = MovingAverage([weight], decay=0.9)
    with torch.no_grad():
        weight += 5
    with average.in_place():
        assert weight.tolist() == [1, 3]
    assert weight.tolist() == [6, 8]
    assert average.averages[0].tolist() == [1, 3]


def test_goes_on_where_it_was_saved():
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    whole = MovingAverage([weight], decay=0.99)
    whole.update()
    state = copy.deepcopy(whole.state_dict())
    again = MovingAverage([torch.nn.Parameter(torch.zeros(1))], decay=0.99)
    again.load_state_dict(state)
    assert again.updates == 1
    assert torch.equal(again.averages[0], whole.averages[0])
    with pytest.raises(ValueError, match="shape"):
        MovingAverage([torch.nn.Parameter(torch.zeros(2))], decay=0.9).load_state_dict(state)
