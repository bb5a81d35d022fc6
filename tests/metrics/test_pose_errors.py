"""ATE and RPE against evo's recorded numbers and a twin made of loops; AUC of relative poses against its definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.se3 import so3_exp
from neoverse_ns.metrics.camera import ate
from neoverse_ns.metrics.distinct import count_distinct
from neoverse_ns.metrics.pair_auc import FAILED, area_under_curve, pair_errors, pose_auc
from neoverse_ns.metrics.relative_pose import relative_pose_error
from tests.metrics.path import EVO, recorded_case

F64 = torch.float64


def sim3(seed: int = 0) -> Sim3:
    random = torch.Generator().manual_seed(seed)
    scale = torch.rand((), generator=random, dtype=F64) * 5 + 0.1
    axis = 2 * torch.randn(3, generator=random, dtype=F64)
    return Sim3(scale, so3_exp(axis), 10 * torch.randn(3, generator=random, dtype=F64))


def test_errors_are_evos() -> None:
    estimate, reference = recorded_case()
    error = relative_pose_error(estimate, reference)
    assert ate(estimate, reference).rmse == pytest.approx(EVO["ate"], abs=1e-9)
    assert error.translation == pytest.approx(EVO["rpe-t"], abs=1e-9)
    assert error.rotation == pytest.approx(EVO["rpe-r"], abs=1e-9)
    assert error.reason is None
    moved = relative_pose_error(sim3().apply_c2w(estimate), reference)
    assert moved.translation == pytest.approx(error.translation, abs=1e-9)
    assert moved.rotation == pytest.approx(error.rotation, abs=1e-9)


def test_errors_are_those_of_loops() -> None:
    estimate, reference = (path[:6] for path in recorded_case())
    p, q = estimate[:, :3, 3].numpy(), reference[:, :3, 3].numpy()
    U, D, Vt = np.linalg.svd((q - q.mean(0)).T @ (p - p.mean(0)) / 6)
    S = np.diag([1, 1, np.sign(np.linalg.det(U) * np.linalg.det(Vt))])
    R, s = U @ S @ Vt, np.trace(np.diag(D) @ S) / p.var(0).sum()
    distances, steps, turns, aligned = [], [], [], []
    for i in range(6):
        T = np.eye(4)
        T[:3, :3] = R @ estimate[i, :3, :3].numpy()
        T[:3, 3] = s * R @ (p[i] - p.mean(0)) + q.mean(0)
        aligned.append(T)
        distances.append(np.linalg.norm(T[:3, 3] - q[i]))
    for i in range(5):
        Q = np.linalg.inv(reference[i].numpy()) @ reference[i + 1].numpy()
        E = np.linalg.inv(Q) @ np.linalg.inv(aligned[i]) @ aligned[i + 1]
        steps.append(np.linalg.norm(E[:3, 3]))
        turns.append(math.degrees(math.acos((np.trace(E[:3, :3]) - 1) / 2)))
    error = relative_pose_error(estimate, reference)
    assert ate(estimate, reference).rmse == pytest.approx(math.sqrt(np.mean(np.square(distances))), abs=1e-9)
    assert error.translation == pytest.approx(math.sqrt(np.mean(np.square(steps))), abs=1e-9)
    assert error.rotation == pytest.approx(math.sqrt(np.mean(np.square(turns))), abs=1e-6)


def test_fewer_than_three_places_have_no_scale() -> None:
    estimate, reference = recorded_case()
    reference[:, :3, 3] = reference[torch.arange(10) % 2, :3, 3]
    assert count_distinct(reference[:, :3, 3]) == 2
    error = relative_pose_error(estimate, reference)
    assert math.isnan(error.translation)
    assert math.isfinite(error.rotation)
    assert "2 distinct places" in (error.reason or "")
    assert math.isnan(ate(estimate, reference).rmse)
    assert "2 distinct places" in (ate(estimate, reference).reason or "")
    for bad in (relative_pose_error(estimate[:1], reference[:1]), relative_pose_error(estimate * math.nan, reference)):
        assert math.isnan(bad.translation)
        assert math.isnan(bad.rotation)
        assert bad.reason


def test_an_estimate_that_stands_still_misses_every_step() -> None:
    _, reference = recorded_case()
    steps = (reference[1:, :3, 3] - reference[:-1, :3, 3]).square().sum(-1).mean().sqrt().item()
    still = reference.clone()
    still[:, :3, 3] = 1
    assert relative_pose_error(still, reference).translation == pytest.approx(steps, abs=1e-9)


def test_area_under_the_curve_of_known_errors() -> None:
    errors = torch.tensor([0.5, 1.5, 2.5, 40.0])
    assert area_under_curve(errors, 3) == pytest.approx(0.5, abs=1e-9)
    assert area_under_curve(errors, 30) == pytest.approx(0.725, abs=1e-9)
    # Edges: whole degrees belong to the bin above, but for the last.
    assert area_under_curve(torch.tensor([1.0, 3.0]), 3) == pytest.approx((0 + 0.5 + 1) / 3)
    assert math.isnan(area_under_curve(torch.zeros(0), 3))
    values = 35 * torch.rand(200, generator=torch.Generator().manual_seed(0), dtype=F64)
    for limit in (3, 30):
        histogram = np.histogram(values.numpy(), bins=np.arange(limit + 1))[0] / 200
        assert area_under_curve(values, limit) == pytest.approx(np.cumsum(histogram).mean(), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_similarities_of_either_side_change_nothing(seed: int) -> None:
    estimate, reference = recorded_case()
    expected = pair_errors(estimate, reference)
    for other in (
        pair_errors(sim3(seed).apply_c2w(estimate), reference),
        pair_errors(estimate, sim3(seed).apply_c2w(reference)),
    ):
        torch.testing.assert_close(other.degrees, expected.degrees, atol=1e-9, rtol=0)
    same = pair_errors(sim3(seed).apply_c2w(reference), reference)
    assert same.degrees.max() < 1e-9
    assert same.auc(3) == 1


def test_pairs_are_those_of_loops() -> None:
    estimate, reference = recorded_case()
    expected = []
    for i in range(10):
        for j in range(i + 1, 10):
            relative = [np.linalg.inv(c2w[i].numpy()) @ c2w[j].numpy() for c2w in (reference, estimate)]
            R = relative[0][:3, :3].T @ relative[1][:3, :3]
            a, b = (T[:3, 3] / np.linalg.norm(T[:3, 3]) for T in relative)
            direction = math.degrees(math.acos(np.clip(a @ b, -1, 1)))
            turn = math.degrees(math.acos(np.clip((np.trace(R) - 1) / 2, -1, 1)))
            expected.append(max(turn, min(direction, 180 - direction)))
    errors = pair_errors(estimate, reference)
    np.testing.assert_allclose(errors.degrees.numpy(), expected, atol=1e-6)
    assert max(expected) > 3
    assert pose_auc(estimate, reference) == {3: errors.auc(3), 30: errors.auc(30)}


def half_still(reference: Tensor) -> Tensor:
    reference = reference.clone()
    reference[5:, :3, 3] = reference[5, :3, 3]
    return reference


def test_pairs_that_do_not_move_are_judged_by_their_turn() -> None:
    estimate, reference = recorded_case()
    errors = pair_errors(estimate, half_still(reference))
    assert errors.without_direction == 10
    i, j = torch.triu_indices(10, 10, offset=1)
    still = (i >= 5) & (j >= 5)
    assert torch.equal(errors.degrees[still], errors.turns[still])
    # The other way round nothing is left out: half a circle away from both directions.
    stuck = pair_errors(half_still(reference), reference)
    assert stuck.without_direction == 0
    assert torch.equal(stuck.degrees[still], torch.full((10,), 90.0, dtype=F64))


def test_missing_cameras_fail_all_their_pairs() -> None:
    estimate, reference = recorded_case()
    estimate = reference.clone()
    estimate[3] = math.nan
    errors = pair_errors(estimate, reference)
    assert errors.failed == 9
    assert int((errors.degrees == FAILED).sum()) == 9
    assert errors.auc(30) == pytest.approx(36 / 45)
    solved = torch.ones(10, dtype=torch.bool)
    solved[:2] = False
    assert pair_errors(estimate, reference, solved).failed == 9 + 8 + 7
    assert math.isnan(pair_errors(estimate[:1], reference[:1]).auc(3))
