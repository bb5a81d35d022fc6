"""Adam over sparse rows, and over layers that are not drawn in every step."""

from __future__ import annotations

import copy
import math

import torch

from neoverse_ns.gaussians.rows import select_rows
from neoverse_ns.optimise.row_adam import RowAdam, exchange


def test_equals_adam_where_every_row_has_a_gradient() -> None:
    start = torch.randn(12, 4)
    sparse, dense = start.clone().requires_grad_(), start.clone().requires_grad_()
    ours, reference = RowAdam([sparse], lr=0.05, eps=1e-8), torch.optim.Adam([dense], lr=0.05, eps=1e-8)
    every = torch.arange(12)
    for step in range(20):
        target = torch.full((12, 4), float(step % 3))
        for optimiser, value in ((ours, select_rows(sparse, every)), (reference, dense * 1.0)):
            optimiser.zero_grad()
            ((value - target) ** 2).sum().backward()
            optimiser.step()
    torch.testing.assert_close(sparse, dense)


def test_two_selections_of_the_same_rows_add_up() -> None:
    start = torch.randn(6, 3)
    sparse, dense = start.clone().requires_grad_(), start.clone().requires_grad_()
    first, second = torch.tensor([0, 2, 4]), torch.tensor([2, 3, 4])
    (select_rows(sparse, first).sum() + 2 * select_rows(sparse, second).sum()).backward()
    (dense[first].sum() + 2 * dense[second].sum()).backward()
    ours, reference = RowAdam([sparse], lr=0.1, eps=1e-8), torch.optim.Adam([dense], lr=0.1, eps=1e-8)
    ours.step()
    reference.step()
    torch.testing.assert_close(sparse, dense)


def test_rows_without_gradient_stay_and_state_survives_a_checkpoint() -> None:
    table = torch.randn(8, 2, requires_grad=True)
    before = table.detach().clone()
    optimiser = RowAdam([table], lr=0.1)
    rows = torch.tensor([2, 3])
    for _ in range(3):
        optimiser.zero_grad()
        select_rows(table, rows).sum().backward()
        optimiser.step()
    rest = [0, 1, 4, 5, 6, 7]
    assert torch.equal(table.detach()[rest], before[rest])
    assert (table.detach()[rows] < before[rows]).all()

    twin = table.detach().clone().requires_grad_()
    resumed = RowAdam([twin], lr=0.1)
    # A checkpoint is a copy; optimisers would share the moments otherwise.
    resumed.load_state_dict(copy.deepcopy(optimiser.state_dict()))
    for tensor, adam in ((table, optimiser), (twin, resumed)):
        adam.zero_grad()
        select_rows(tensor, rows).sum().backward()
        adam.step()
    assert torch.equal(table.detach(), twin.detach())


def test_bias_correction_counts_the_steps_of_the_group() -> None:
    early, late = torch.nn.Parameter(torch.zeros(2)), torch.nn.Parameter(torch.zeros(2))
    optimiser = RowAdam([early, late], lr=0.1, betas=(0.9, 0.999), eps=0.0)
    for _ in range(7):
        optimiser.zero_grad()
        early.sum().backward()
        optimiser.step()
    assert torch.equal(late.detach(), torch.zeros(2))
    optimiser.zero_grad()
    (early.sum() + 3 * late.sum()).backward()
    optimiser.step()
    # Moments are those of one step, their correction that of the eighth: whatever the gradient's size.
    expected = -0.1 * (0.1 / (1 - 0.9**8)) / math.sqrt(0.001 / (1 - 0.999**8))
    torch.testing.assert_close(late.detach(), torch.full((2,), expected), rtol=1e-4, atol=0)
    assert abs(expected) < 0.1
    # What was there all along takes steps of the full rate.
    torch.testing.assert_close(early.detach(), torch.full((2,), -0.8), rtol=1e-4, atol=0)
    assert [float(optimiser.state[p]["step"]) for p in (early, late)] == [8, 8]


def test_a_group_that_nothing_is_drawn_of_does_not_count() -> None:
    drawn, idle = torch.nn.Parameter(torch.zeros(2)), torch.nn.Parameter(torch.zeros(2))
    optimiser = RowAdam([{"params": [drawn]}, {"params": [idle]}], lr=0.1)
    for _ in range(3):
        optimiser.zero_grad()
        drawn.sum().backward()
        optimiser.step()
    (2 * idle).sum().backward()
    optimiser.step()
    # The group's own first step, so one of the full rate.
    torch.testing.assert_close(idle.detach(), torch.full((2,), -0.1))


def test_an_optimiser_goes_on_with_another_parameter_and_forgets_the_old() -> None:
    parameters = [torch.nn.Parameter(torch.arange(8.0).reshape(4, 2)) for _ in range(2)]
    optimiser = RowAdam(parameters, lr=0.1)
    sum((p * torch.tensor([[1.0, 2.0]])).sum() for p in parameters).backward()
    optimiser.step()
    kept = {name: value.clone() for name, value in optimiser.state[parameters[0]].items()}
    new = torch.nn.Parameter(torch.full((3, 2), 9.0))
    exchange(optimiser, parameters[1], new)
    assert optimiser.param_groups[0]["params"][0] is parameters[0]
    assert optimiser.param_groups[0]["params"][1] is new
    assert list(optimiser.state) == [parameters[0]]
    assert all(torch.equal(value, kept[name]) for name, value in optimiser.state[parameters[0]].items())
    torch.testing.assert_close(kept["exp_avg"], torch.tensor([[0.1, 0.2]] * 4))
    optimiser.zero_grad()
    new.sum().backward()
    optimiser.step()
    assert float((new.detach() - 9).abs().min()) > 0
    exchange(None, parameters[0], new)  # nobody optimises it
