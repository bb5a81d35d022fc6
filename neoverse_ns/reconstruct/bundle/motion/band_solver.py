"""Many small chains solved at once: symmetric systems in which every unknown is tied to the next two alone."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray


def solve_chains(
    diagonal: Float[ndarray, "chains n"],
    first: Float[ndarray, "chains a"],
    second: Float[ndarray, "chains b"],
    right_side: Float[ndarray, "chains n"],
) -> Float[ndarray, "chains n"]:
    """Solve one symmetric positive definite band system per chain (Golub and Van Loan, "Matrix Computations", 4.3.6).

    Time grows with the length of the chains, and hardly with their number.

    Args:
        diagonal: Of each matrix.
        first: Entries beside it, n - 1 or none.
        second: Entries beside these, n - 2 or none.
        right_side: What the product with the solution shall be.
    """
    chains, length = diagonal.shape
    pivot, below, beyond = np.zeros((chains, length)), np.zeros((chains, length)), np.zeros((chains, length))
    first = np.concatenate([first, np.zeros((chains, 1))], 1)
    second = np.concatenate([second, np.zeros((chains, 2))], 1)[:, :length]
    x = np.array(right_side, float)
    for k in range(length):
        pivot[:, k] = diagonal[:, k]
        tie = first[:, k].copy()
        if k > 0:
            pivot[:, k] -= below[:, k - 1] ** 2 * pivot[:, k - 1]
            tie -= below[:, k - 1] * pivot[:, k - 1] * beyond[:, k - 1]
            x[:, k] -= below[:, k - 1] * x[:, k - 1]
        if k > 1:
            pivot[:, k] -= beyond[:, k - 2] ** 2 * pivot[:, k - 2]
            x[:, k] -= beyond[:, k - 2] * x[:, k - 2]
        below[:, k], beyond[:, k] = tie / pivot[:, k], second[:, k] / pivot[:, k]
    x /= pivot
    for k in range(length - 2, -1, -1):
        x[:, k] -= below[:, k] * x[:, k + 1]
        if k + 2 < length:
            x[:, k] -= beyond[:, k] * x[:, k + 2]
    return x
