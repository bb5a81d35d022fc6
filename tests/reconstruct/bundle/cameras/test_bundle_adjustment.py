"""Exact flow gives back the exact scene."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch

from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.reconstruct.bundle.cameras.bundle_adjustment import AdjustmentSettings, adjust
from neoverse_ns.reconstruct.bundle.cameras.state import State
from tests.reconstruct.bundle.scenes import empty_observations, random_state, with_seen

EXACT = AdjustmentSettings(iterations=40, kernel=(6.0, 1.0), smoothness=0.0, prior=(0.75, 0.4, 0.0))


def _perturbed(truth: State, focal: float, seed: int = 5) -> State:
    generator = torch.Generator().manual_seed(seed)
    twist = 0.01 * torch.randn(len(truth.poses), 6, generator=generator, dtype=torch.float64)
    twist[0] = 0
    return State(
        se3_exp(twist) @ truth.poses,
        torch.ones_like(truth.inverse_depth),
        torch.full((len(truth.poses),), focal).double(),
    )


def _assert_same_scene(found: State, truth: State, tolerance: float) -> None:
    scale = truth.poses[-1, :3, 3].norm() / found.poses[-1, :3, 3].norm()
    torch.testing.assert_close(found.poses[:, :3, :3], truth.poses[:, :3, :3], rtol=0, atol=tolerance)
    torch.testing.assert_close(found.poses[:, :3, 3] * scale, truth.poses[:, :3, 3], rtol=0, atol=tolerance)
    torch.testing.assert_close(found.inverse_depth / scale, truth.inverse_depth, rtol=tolerance * 10, atol=tolerance)


def test_recovers_cameras_focal_and_depth():
    observations = empty_observations(6)
    truth = random_state(6, observations.points.shape[0], 0.7, seed=3)
    result = adjust(with_seen(observations, truth), _perturbed(truth, 0.9), EXACT)
    assert result.state.mean_focal == pytest.approx(0.7, rel=1e-4)
    _assert_same_scene(result.state, truth, 1e-4)
    assert float(result.error.max()) < 1e-2


def test_outliers_do_not_matter():
    observations = empty_observations(6)
    truth = random_state(6, observations.points.shape[0], 0.7, seed=3)
    observations = with_seen(observations, truth)
    generator = torch.Generator().manual_seed(9)
    wrong = torch.rand(observations.weights.shape, generator=generator) < 0.1
    noise = (torch.rand(observations.seen.shape, generator=generator, dtype=torch.float64) - 0.5) * 0.5
    observations = replace(observations, seen=observations.seen + noise * wrong[:, None])
    settings = replace(EXACT, kernel=(6.0, 0.2), iterations=60, solve_focal=False)
    result = adjust(observations, _perturbed(truth, 0.7), settings)
    torch.testing.assert_close(result.state.poses[:, :3, :3], truth.poses[:, :3, :3], rtol=0, atol=2e-3)


def test_given_focal_length_is_kept_and_first_camera_stays():
    observations = empty_observations(4)
    truth = random_state(4, observations.points.shape[0], 0.7, seed=4)
    result = adjust(with_seen(observations, truth), _perturbed(truth, 0.9), replace(EXACT, solve_focal=False))
    assert result.state.mean_focal == pytest.approx(0.9)
    torch.testing.assert_close(result.state.poses[0], torch.eye(4, dtype=torch.float64), rtol=0, atol=1e-12)


def test_pure_rotation_gives_the_focal_length():
    observations = empty_observations(5)
    truth = random_state(5, observations.points.shape[0], 0.7, seed=6, move=0.0, turn=0.1)
    start = State(
        torch.eye(4, dtype=torch.float64).repeat(5, 1, 1),
        torch.zeros_like(truth.inverse_depth),
        torch.ones(5, dtype=torch.float64),
    )
    settings = replace(EXACT, kernel=(20.0, 1.0), solve_translation=False)
    result = adjust(with_seen(observations, truth), start, settings)
    assert result.state.mean_focal == pytest.approx(0.7, rel=1e-4)
    assert float(result.state.poses[:, :3, 3].abs().max()) == 0.0


def test_prior_holds_the_focal_length_where_flow_says_nothing():
    observations = replace(empty_observations(3), weights=torch.full((6, 48), 1e-3, dtype=torch.float64))
    truth = random_state(3, observations.points.shape[0], 0.7, seed=6, turn=0.0)
    settings = replace(EXACT, prior=(0.75, 0.1, 100.0))
    result = adjust(with_seen(observations, truth), _perturbed(truth, 1.5), settings)
    assert result.state.mean_focal == pytest.approx(0.75, abs=0.02)


def test_cost_never_rises():
    observations = empty_observations(5)
    truth = random_state(5, observations.points.shape[0], 0.7, seed=7)
    observations, start = with_seen(observations, truth), _perturbed(truth, 1.0)
    costs = [adjust(observations, start, replace(EXACT, iterations=k, kernel=(1.0, 1.0))).cost for k in range(1, 10)]
    assert all(b <= a + 1e-12 for a, b in itertools.pairwise(costs))
    assert costs[-1] < 0.5 * costs[0]
