"""Row selection whose gradient stays as small as the selection."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class _SelectRows(torch.autograd.Function):
    """Gather rows; the gradient is a coalesced sparse tensor holding those rows alone."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, index: Tensor) -> Tensor:
        ctx.save_for_backward(index)
        ctx.shape = table.shape
        return table.index_select(0, index)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (index,) = ctx.saved_tensors
        # Indices are ascending and distinct, which is what coalesced means: no sort, no addition.
        gradient = gradients[0].contiguous()
        rows = torch.sparse_coo_tensor(index[None], gradient, ctx.shape, check_invariants=False, is_coalesced=True)
        return rows, None


def select_rows(table: Tensor, index: Tensor) -> Tensor:
    """`table[index]` for distinct ascending `index` of shape [m].

    Where `table` is a leaf that wants gradients (a parameter), its gradient is sparse, holding only the chosen rows: a
    step over a million Gaussians then costs what the hundred thousand alive ones cost. For any other tensor the
    gradient is dense, as usual.
    """
    if table.requires_grad and table.is_leaf:
        return _SelectRows.apply(table, index)  # type: ignore[return-value]
    return table.index_select(0, index)
