"""Row selection and the optimiser that goes with it."""

from __future__ import annotations

import torch

from neoverse_ns.gaussians.rows import contiguous_block, select_rows
from neoverse_ns.optimise.row_adam import RowAdam


def test_gradient_holds_only_the_chosen_rows() -> None:
    table = torch.randn(10, 3, requires_grad=True)
    rows = torch.tensor([1, 4, 7])
    (select_rows(table, rows) ** 2).sum().backward()
    assert table.grad is not None
    assert table.grad.is_sparse
    assert table.grad._nnz() == 3
    expected = torch.zeros(10, 3)
    expected[rows] = 2 * table.detach()[rows]
    torch.testing.assert_close(table.grad.to_dense(), expected)


def test_gradient_of_a_computed_table_is_dense() -> None:
    base = torch.randn(6, 2, requires_grad=True)
    select_rows(base * 2, torch.tensor([0, 5])).sum().backward()
    assert base.grad is not None
    assert not base.grad.is_sparse
    assert base.grad[[0, 5]].eq(2).all()
    assert base.grad[1:5].eq(0).all()


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
    resumed.load_state_dict(optimiser.state_dict())
    for tensor, adam in ((table, optimiser), (twin, resumed)):
        adam.zero_grad()
        select_rows(tensor, rows).sum().backward()
        adam.step()
    assert torch.equal(table.detach(), twin.detach())


def test_repeated_rows_gather_their_gradients() -> None:
    table = torch.randn(6, 2, requires_grad=True)
    rows = torch.tensor([4, 1, 4, 4])
    weights = torch.randn(4, 2)
    (select_rows(table, rows, distinct=False) * weights).sum().backward()
    assert table.grad is not None
    assert table.grad._nnz() == 2
    expected = torch.zeros(6, 2).index_add(0, rows, weights)
    torch.testing.assert_close(table.grad.to_dense(), expected)


def test_only_rows_without_a_gap_make_a_block() -> None:
    table = torch.arange(9)
    for rows in ([], [3], [0, 1, 2], [6, 7, 8], list(range(9))):
        block = contiguous_block(torch.tensor(rows, dtype=torch.int64))
        assert block is not None
        assert table[block].tolist() == rows
    assert contiguous_block(torch.tensor([0, 2])) is None
    assert contiguous_block(torch.tensor([1, 2, 3, 5])) is None
