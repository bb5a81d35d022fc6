"""Two-view and rotation starts on exact flow."""

from __future__ import annotations

from dataclasses import replace

import torch

from neoverse_ns.reconstruct.bundle.cameras.rotation import fit_rotation, rotation_start
from neoverse_ns.reconstruct.bundle.cameras.two_view import two_view_start
from tests.reconstruct.bundle.scenes import empty_observations, random_state, with_seen


def test_chain_has_the_right_rotations_directions_and_step_lengths():
    observations = empty_observations(5, stride=4)
    truth = random_state(5, observations.points.shape[0], 0.8, seed=11)
    start = two_view_start(with_seen(observations, truth), 0.8, seed=0)
    torch.testing.assert_close(start.poses[:, :3, :3], truth.poses[:, :3, :3], rtol=0, atol=2e-3)
    scale = truth.poses[1, :3, 3].norm() / start.poses[1, :3, 3].norm()
    torch.testing.assert_close(start.poses[:, :3, 3] * scale, truth.poses[:, :3, 3], rtol=0, atol=2e-2)


def test_start_is_repeatable():
    observations = empty_observations(4, stride=4)
    observations = with_seen(observations, random_state(4, observations.points.shape[0], 0.8, seed=12))
    first, second = (two_view_start(observations, 0.8, seed=3) for _ in range(2))
    assert torch.equal(first.poses, second.poses)
    assert torch.equal(first.inverse_depth, second.inverse_depth)


def test_pair_without_flow_keeps_the_pose():
    observations = empty_observations(3, gaps=(1,), stride=4)
    truth = random_state(3, observations.points.shape[0], 0.8, seed=13)
    observations = with_seen(observations, truth)
    observations.weights[observations.edges[1, 2]] = 0
    start = two_view_start(observations, 0.8, seed=0)
    assert torch.equal(start.poses[2], start.poses[1])
    assert torch.isfinite(start.inverse_depth).all()


def test_rotation_fit_ignores_a_third_of_wrong_flow():
    observations = empty_observations(2, gaps=(1,), stride=4)
    truth = random_state(2, observations.points.shape[0], 0.8, seed=14, move=0.0, turn=0.2)
    observations = with_seen(observations, truth)
    wrong = torch.zeros(observations.seen.shape, dtype=torch.float64)
    wrong[:, :, ::3] = 0.3
    found = fit_rotation(replace(observations, seen=observations.seen + wrong), observations.edges[0, 1], 0.8)
    torch.testing.assert_close(found, truth.poses[1, :3, :3], rtol=0, atol=1e-3)


def test_rotation_chain():
    observations = empty_observations(6, stride=8)
    truth = random_state(6, observations.points.shape[0], 0.8, seed=15, move=0.0, turn=0.1)
    start = rotation_start(with_seen(observations, truth), 0.8)
    torch.testing.assert_close(start.poses, truth.poses, rtol=0, atol=1e-5)
