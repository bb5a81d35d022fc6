"""How many places a path has."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

STATIC = 1e-9
"""Differences below this share of the distance from the origin (plus one) are round-off."""


def count_distinct(centres: Float[Tensor, "n 3"], enough: int = 3) -> int:
    """Number of places that differ by more than round-off, counted up to `enough`."""
    if not len(centres):
        return 0
    least = STATIC * (1 + centres.norm(dim=-1).max())
    count, left = 0, centres
    while len(left) and count < enough:
        count += 1
        left = left[(left - left[0]).norm(dim=-1) > least]
    return count
