"""Moving Gaussians by a similarity."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.gaussians.transform import transform
from neoverse_ns.gaussians.transition import at_time
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.quaternions import to_matrix
from neoverse_ns.geometry.se3 import so3_exp
from tests.gaussians.scenes import random_gaussians


def covariances(quats: torch.Tensor, scales: torch.Tensor) -> torch.Tensor:
    axes = to_matrix(quats) * scales[:, None, :]
    return axes @ axes.mT


def test_commutes_with_the_transition() -> None:
    gaussians = random_gaussians(40, 1, torch.float64)
    rotation = so3_exp(torch.tensor([0.3, -1.1, 0.4], dtype=torch.float64))
    sim3 = Sim3(torch.tensor(1.7, dtype=torch.float64), rotation, torch.tensor([0.2, -3.0, 1.0], dtype=torch.float64))
    before = at_time(gaussians, 0.3)
    after = at_time(transform(gaussians, sim3), 0.3)
    torch.testing.assert_close(after.means, sim3.apply_points(before.means))
    expected = 1.7**2 * rotation @ covariances(before.quats, before.scales) @ rotation.mT
    torch.testing.assert_close(covariances(after.quats, after.scales), expected)
    assert torch.equal(after.opacities, before.opacities)


def test_refuses_view_dependent_colour() -> None:
    gaussians = random_gaussians(4)
    gaussians = gaussians.with_(sh=torch.zeros(4, 4, 3))
    identity = Sim3(torch.ones((), dtype=torch.float64), torch.eye(3).double(), torch.zeros(3).double())
    with pytest.raises(ValueError, match="degree 1"):
        transform(gaussians, identity)
