"""Inverse depths between known cameras, against exact positions and closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from neoverse_ns.reconstruct.bundle.cameras.triangulation import largest_angles, triangulate
from tests.reconstruct.bundle.scenes import empty_observations, random_state, with_seen

KERNEL = (6.0, 0.4)


def _lens(focal: float, frames: int) -> torch.Tensor:
    return torch.diag(torch.tensor([focal, focal, 1.0], dtype=torch.float64)).repeat(frames, 1, 1)


def test_exact_positions_give_exact_inverse_depths() -> None:
    observations = empty_observations(5)
    state = random_state(5, len(observations.points), 0.8, seed=3)
    found = triangulate(with_seen(observations, state), state.poses, _lens(0.8, 5), KERNEL)
    torch.testing.assert_close(found.inverse_depth, state.inverse_depth, atol=1e-8, rtol=0)
    assert float(found.error.max()) < 1e-6
    assert found.typical() == pytest.approx(1.0, abs=0.05)


def test_the_unit_of_the_cameras_is_the_depths() -> None:
    observations = empty_observations(4)
    state = random_state(4, len(observations.points), 0.8, seed=1)
    poses = state.poses.clone()
    poses[:, :3, 3] *= 40
    found = triangulate(with_seen(observations, state), poses, _lens(0.8, 4), KERNEL)
    torch.testing.assert_close(found.inverse_depth, state.inverse_depth / 40, atol=1e-9, rtol=0)


def test_lenses_of_their_own_are_honoured() -> None:
    """Another focal length for both axes and a principal point off the middle, in every frame, by 4x4 matrices."""
    observations = empty_observations(4)
    state = random_state(4, len(observations.points), 0.8, seed=2)
    lens = _lens(0.8, 4)
    lens[:, 0, 0] += torch.tensor([0.0, 0.1, 0.2, -0.1])
    lens[:, 0, 2], lens[:, 1, 2] = 0.07, torch.tensor([-0.05, 0.0, 0.02, 0.01])
    one = torch.ones_like(observations.centred[:1])
    seen = torch.empty_like(observations.seen)
    for edge, (i, j) in enumerate(zip(observations.source.tolist(), observations.target.tolist(), strict=True)):
        here = torch.linalg.inv(lens[i]) @ torch.cat([observations.centred, one]) / state.inverse_depth[i]
        there = (state.poses[j] @ torch.linalg.inv(state.poses[i]) @ torch.cat([here, one]))[:3]
        pixels = lens[j] @ there
        seen[edge] = pixels[:2] / pixels[2] + observations.centre[:, None]
    values = {name: getattr(observations, name) for name in observations.__dataclass_fields__}
    exact = type(observations)(**{**values, "seen": seen})
    found = triangulate(exact, state.poses, lens, KERNEL)
    torch.testing.assert_close(found.inverse_depth, state.inverse_depth, atol=1e-7, rtol=0)


def test_cameras_at_one_place_measure_nothing() -> None:
    observations = empty_observations(3)
    state = random_state(3, len(observations.points), 0.8, seed=0, move=0.0)
    found = triangulate(with_seen(observations, state), state.poses, _lens(0.8, 3), KERNEL)
    assert found.typical() is None
    assert float(found.error_far.max()) < 1e-6


def test_angles_between_rays_are_those_of_triangles() -> None:
    observations = empty_observations(2, gaps=(1,))
    poses = torch.eye(4, dtype=torch.float64).repeat(2, 1, 1)
    poses[1, 0, 3] = -0.5
    depth = torch.full((2, len(observations.points)), 0.5, dtype=torch.float64)
    angles = largest_angles(observations, poses, _lens(0.8, 2), depth)
    middle = int((observations.points - observations.centre).norm(dim=1).argmin())
    slope = (observations.points[middle] - observations.centre)[0] / 0.8
    # A point at depth 2 and x = 2 slope, seen from x = 0 and x = 0.5; the small y widens both rays alike.
    expected = math.degrees(math.atan(float(slope)) - math.atan((2 * float(slope) - 0.5) / 2))
    assert float(angles[0, middle]) == pytest.approx(expected, rel=0.02)
