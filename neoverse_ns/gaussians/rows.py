"""Row selection whose gradient stays as small as the selection."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Int64
from torch import Tensor


class _SelectRows(torch.autograd.Function):
    """Gather rows; the gradient is a sparse tensor holding those rows alone."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, index: Tensor) -> Tensor:
        ctx.save_for_backward(index)
        ctx.shape = table.shape
        return table.index_select(0, index)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (index,) = ctx.saved_tensors
        gradient = gradients[0].contiguous()
        # Ascending and distinct indices are what coalesced means: no sort, no addition.
        rows = torch.sparse_coo_tensor(index[None], gradient, ctx.shape, check_invariants=False, is_coalesced=True)
        return rows, None


def select_rows(table: Tensor, index: Tensor) -> Tensor:
    """`table[index]` for `index` of shape [m], whose rows are ascending and distinct.

    Where `table` is a leaf that wants gradients (a parameter), its gradient is sparse, holding only the chosen rows: a
    step over a million Gaussians then costs what the hundred thousand alive ones cost. For any other tensor the
    gradient is dense, as usual.
    """
    if table.requires_grad and table.is_leaf:
        return _SelectRows.apply(table, index)  # type: ignore[return-value]
    return table.index_select(0, index)


def contiguous_block(index: Int64[Tensor, " m"]) -> slice | None:
    """The slice of the same rows where ascending, distinct `index` leaves none out; else None.

    Neighbouring keyframes' Gaussians mostly lie side by side, and a slice need not be copied.
    """
    if len(index) == 0:
        return slice(0, 0)
    first, last = int(index[0]), int(index[-1])
    return slice(first, last + 1) if last - first + 1 == len(index) else None
