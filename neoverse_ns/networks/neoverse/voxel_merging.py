"""Merging the Gaussians of a static clip that lie in one voxel (AnySplat, Jiang et al. 2025)."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor

_SMALLEST_WEIGHT = 1e-8


def voxel_groups(
    points: Float[Tensor, "n 3"], size: float
) -> tuple[
    Int64[Tensor, " n"],  # number of each point's voxel, voxels in lexicographic order of x, y, z
    int,  # number of voxels
]:
    """Which points share a cell of the grid of side `size` that has a corner at the origin."""
    if len(points) == 0:
        return torch.zeros(0, dtype=torch.int64, device=points.device), 0
    cell = (points / size).floor().long()
    cell = cell - cell.amin(0)
    spans = [int(span) + 1 for span in cell.amax(0)]
    if spans[0] * spans[1] * spans[2] < 2**62:
        # One number per voxel sorts many times faster than rows do.
        keys = (cell[:, 0] * spans[1] + cell[:, 1]) * spans[2] + cell[:, 2]
        unique, group = torch.unique(keys, return_inverse=True)
    else:
        unique, group = torch.unique(cell, dim=0, return_inverse=True)
    return group, len(unique)


def weighted_means(
    columns: Float[Tensor, "n c"], weights: Float[Tensor, " n"], group: Int64[Tensor, " n"], groups: int
) -> Float[Tensor, "{groups} c"]:
    """Weighted mean of the rows of each group."""
    total = _sum_rows(weights[:, None], group, groups)[:, 0]
    share = weights / total.clamp_min(_SMALLEST_WEIGHT)[group]
    return _sum_rows(columns * share[:, None], group, groups)


def _sum_rows(rows: Float[Tensor, "n c"], group: Int64[Tensor, " n"], groups: int) -> Float[Tensor, "{groups} c"]:
    sums = rows.new_zeros(groups, rows.shape[1])
    if rows.is_cuda:
        # Sorts instead of adding atomically, so that two runs agree to the last bit.
        return sums.index_put_((group,), rows, accumulate=True)
    return sums.index_add_(0, group, rows)
