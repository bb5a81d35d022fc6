"""Rotation of moving regions from how their pixels are displaced."""

from __future__ import annotations

import math

import pytest
import torch

from neoverse_ns.geometry.projection import unproject
from neoverse_ns.geometry.quaternions import from_axis_angle, rotate
from neoverse_ns.reconstruct.bundle.lifting.angular_velocity import local_rotation

FOCAL = 100.0
K = torch.tensor([[FOCAL, 0.0, 30.0], [0.0, FOCAL, 20.0], [0.0, 0.0, 1.0]])


def _disc() -> tuple[torch.Tensor, torch.Tensor]:
    """Points of a wall at depth 2, and a moving square on it."""
    points = unproject(torch.full((40, 60), 2.0), K, torch.eye(4))
    moving = torch.zeros(40, 60, dtype=torch.bool)
    moving[10:32, 20:44] = True
    return points, moving


@pytest.mark.parametrize("angle", [-0.4, 0.1, 0.3])
def test_a_roll_is_found(angle: float) -> None:
    points, moving = _disc()
    turn = from_axis_angle(torch.tensor([0.0, 0.0, angle]))
    displacement = rotate(turn, points) - points + torch.tensor([0.3, -0.1, 0.0])
    found = local_rotation(points, displacement, torch.ones(40, 60), moving, FOCAL)
    inner = found[18:24, 28:36]
    # The prior pulls toward no turn, the less the more of the window moves.
    torch.testing.assert_close(inner[..., 2], torch.full((6, 8), angle), atol=0, rtol=0.12)
    assert inner[..., :2].abs().max() < 0.02
    assert found[~moving].eq(0).all()


def test_what_only_shifts_does_not_turn() -> None:
    points, moving = _disc()
    displacement = torch.tensor([0.5, 0.2, -0.3]).expand(40, 60, 3)
    assert local_rotation(points, displacement, torch.ones(40, 60), moving, FOCAL).abs().max() < 1e-6


def test_an_axis_across_the_view_stays_undetermined() -> None:
    points, moving = _disc()
    # Turning a wall about the vertical moves its points along the line of sight, where only rough depth can see it.
    displacement = rotate(from_axis_angle(torch.tensor([0.0, 0.1, 0.0])), points) - points
    found = local_rotation(points, displacement, torch.ones(40, 60), moving, FOCAL)
    assert found[moving].norm(dim=-1).max() < 0.02


def test_disagreement_weakens_the_turn() -> None:
    points, moving = _disc()
    generator = torch.Generator().manual_seed(0)
    noise = 0.2 * torch.randn(40, 60, 3, generator=generator)
    displacement = rotate(from_axis_angle(torch.tensor([0.0, 0.0, 0.2])), points) - points
    clean = local_rotation(points, displacement, torch.ones(40, 60), moving, FOCAL)
    noisy = local_rotation(points, displacement + noise, torch.ones(40, 60), moving, FOCAL)
    assert noisy[moving][:, 2].mean() < 0.5 * clean[moving][:, 2].mean()
    assert math.isfinite(float(noisy.sum()))


def test_untrusted_pixels_have_no_say() -> None:
    points, moving = _disc()
    displacement = rotate(from_axis_angle(torch.tensor([0.0, 0.0, 0.2])), points) - points
    trust = torch.ones(40, 60)
    trust[::3] = 0
    wild = displacement.clone()
    wild[::3] = 50.0
    expected = local_rotation(points, displacement, trust, moving, FOCAL)
    found = local_rotation(points, wild, trust, moving, FOCAL)
    # Counting coordinates from another origin costs round-off, nothing else.
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_nothing_moves() -> None:
    points, moving = _disc()
    found = local_rotation(points, points, torch.ones(40, 60), torch.zeros_like(moving), FOCAL)
    assert found.eq(0).all()
