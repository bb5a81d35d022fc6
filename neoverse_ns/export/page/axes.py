"""The same ellipsoids turned as little as can be, by naming their axes otherwise."""

from __future__ import annotations

from functools import cache
from itertools import permutations, product

import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.geometry import quaternions


@cache
def cube_rotations() -> Float64[Tensor, "24 3 3"]:
    """All rotations that put axes on axes."""
    found = []
    for order in permutations(range(3)):
        for signs in product((1.0, -1.0), repeat=3):
            turn = torch.zeros(3, 3, dtype=torch.float64)
            turn[range(3), order] = torch.tensor(signs, dtype=torch.float64)
            if torch.linalg.det(turn) > 0:
                found.append(turn)
    return torch.stack(found)


def least_turned(
    quats: Float64[Tensor, "n 4"], log_scales: Float64[Tensor, "n 3"], turns: Float64[Tensor, "n 2 3"]
) -> tuple[
    Float64[Tensor, "n 4"],  # unit quaternions wxyz with w >= 0.85
    Float64[Tensor, "n 3"],
    Float64[Tensor, "n 2 3"],
]:
    """Gaussians of the same shape whose rotation is at most 63 degrees.

    The vector part of such a quaternion tells all of it precisely, which that of a half turn does not.

    Args:
        quats: Rotations wxyz, of any length.
        log_scales: Logarithms of the standard deviations.
        turns: Rotation vectors in each Gaussian's own axes, which the rotation is multiplied by from the right.
    """
    choices = cube_rotations()
    renamed = quaternions.from_matrix(choices)
    unit = quaternions.normalize(quats)
    # w of the products q u: what is left of the turn.
    signs = unit.new_tensor([1.0, -1.0, -1.0, -1.0])
    best = ((unit * signs) @ renamed.T).abs().argmax(dim=1)
    turned = quaternions.multiply(unit, renamed[best])
    turned = torch.where(turned[:, :1] < 0, -turned, turned)
    names = choices[best].mT
    return turned, torch.einsum("nij,nj->ni", names.abs(), log_scales), torch.einsum("nij,nsj->nsi", names, turns)
