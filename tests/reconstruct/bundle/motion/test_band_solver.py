"""Chains against dense solves."""

from __future__ import annotations

import numpy as np
import pytest

from neoverse_ns.reconstruct.bundle.motion.band_solver import solve_chains


@pytest.mark.parametrize("length", [1, 2, 3, 4, 17])
def test_chains_are_solved_as_dense_systems_are(length: int) -> None:
    random = np.random.default_rng(length)
    dense, chains = [], 3
    for _ in range(chains):
        band = np.tril(np.triu(random.normal(size=(length, length)), 0), 2)
        matrix = band.T @ band + 0.5 * np.eye(length)
        dense.append(matrix)
    matrices, right = np.stack(dense), random.normal(size=(chains, length))
    # The product of band matrices reaches two places to each side.
    off = [np.diagonal(matrices, offset, 1, 2).copy() for offset in (0, 1, 2)]
    found = solve_chains(off[0], off[1], off[2], right)
    assert np.allclose(found, np.linalg.solve(matrices, right[..., None])[..., 0], atol=1e-9)
