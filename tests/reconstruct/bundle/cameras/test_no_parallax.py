"""How much of the flow a hypothesis without parallax explains."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.reconstruct.bundle.cameras.no_parallax import explained_share
from neoverse_ns.reconstruct.bundle.cameras.observations import Observations


def _observations(weights: list[float]) -> Observations:
    """Three frames of 4 points, the pairs (0, 1), (0, 2), (1, 0), (2, 0) with one weight each."""
    points = torch.rand(4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return Observations(
        source=torch.tensor([0, 0, 1, 2]),
        target=torch.tensor([1, 2, 0, 0]),
        points=points,
        seen=points.T.repeat(4, 1, 1),
        weights=torch.tensor(weights, dtype=torch.float64)[:, None].expand(4, 4).clone(),
        grid=(2, 2),
        frames=3,
        width=100,
        centre=torch.tensor([0.5, 0.3], dtype=torch.float64),
    )


@pytest.mark.parametrize(
    ("trust_in_wide", "expected"),
    [
        pytest.param(0.8, 0.25, id="the widest pair that flow followed decides"),
        pytest.param(0.1, 1.0, id="a pair that flow lost says nothing"),
    ],
)
def test_the_widest_followed_pair_counts(trust_in_wide: float, expected: float) -> None:
    observations = _observations([0.9, trust_in_wide, 0.9, trust_in_wide])
    error = torch.zeros(4, 4, dtype=torch.float64)
    error[1, 1:] = 5.0  # From frame 0 only one point of four agrees over the wide pair, all do over the narrow one.
    error[3, 1:] = 5.0 if trust_in_wide > 0.5 else 0.0
    assert explained_share(observations, error, tolerance=1.0) == pytest.approx(expected)


def test_points_count_by_their_confidence() -> None:
    observations = _observations([0.9, 0.9, 0.9, 0.9])
    observations.weights[:, 0] = 0.3
    error = torch.zeros(4, 4, dtype=torch.float64)
    error[:, 0] = 5.0
    assert explained_share(observations, error, tolerance=1.0) == pytest.approx(2.7 / 3.0)
