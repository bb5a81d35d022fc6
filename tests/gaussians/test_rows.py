"""Row selection with sparse gradients."""

from __future__ import annotations

import torch

from neoverse_ns.gaussians.rows import contiguous_block, select_rows


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


def test_only_rows_without_a_gap_make_a_block() -> None:
    table = torch.arange(9)
    for rows in ([], [3], [0, 1, 2], [6, 7, 8], list(range(9))):
        block = contiguous_block(torch.tensor(rows, dtype=torch.int64))
        assert block is not None
        assert table[block].tolist() == rows
    assert contiguous_block(torch.tensor([0, 2])) is None
    assert contiguous_block(torch.tensor([1, 2, 3, 5])) is None
