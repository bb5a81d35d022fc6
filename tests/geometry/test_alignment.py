"""Sim(3) alignment: recovery, optimality, and every degenerate case of its docstring."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from neoverse_ns.geometry.alignment import Sim3, align_cameras, align_sim3
from neoverse_ns.geometry.se3 import se3_exp, so3_exp, so3_log

F64 = torch.float64


def random_sim3(seed: int) -> Sim3:
    generator = torch.Generator().manual_seed(seed)
    w, t = torch.randn(2, 3, dtype=F64, generator=generator)
    scale = torch.rand((), dtype=F64, generator=generator) * 3 + 0.05
    return Sim3(scale, so3_exp(w * 1.5), 5 * t)


def random_points(seed: int, count: int) -> torch.Tensor:
    return torch.randn(count, 3, dtype=F64, generator=torch.Generator().manual_seed(seed + 1))


def assert_same(a: Sim3, b: Sim3, atol: float = 1e-9) -> None:
    torch.testing.assert_close(a.scale, b.scale, atol=atol, rtol=0)
    torch.testing.assert_close(a.R, b.R, atol=atol, rtol=0)
    torch.testing.assert_close(a.t, b.t, atol=atol, rtol=0)


@given(st.integers(0, 2**31), st.integers(3, 30))
def test_recovers_the_similarity(seed, count):
    truth, points = random_sim3(seed), random_points(seed, count)
    assert_same(align_sim3(points, truth.apply_points(points)), truth, atol=1e-7)


def test_three_points_and_points_in_a_plane_give_a_rotation_not_a_reflection():
    truth = random_sim3(3)
    for count in (3, 9):
        points = random_points(4, count) * torch.tensor([1.0, 1.0, 0.0], dtype=F64)
        estimate = align_sim3(points, truth.apply_points(points))
        assert torch.linalg.det(estimate.R).item() == pytest.approx(1, abs=1e-9)
        assert_same(estimate, truth)


def test_mirrored_points_still_give_a_rotation():
    points = random_points(8, 12)
    estimate = align_sim3(points, points * torch.tensor([-1.0, 1, 1], dtype=F64))
    assert torch.linalg.det(estimate.R).item() == pytest.approx(1, abs=1e-9)


def test_no_other_similarity_fits_noisy_points_better():
    truth, points = random_sim3(0), random_points(0, 20)
    target = truth.apply_points(points) + 0.2 * random_points(50, 20)
    weights = random_points(60, 20)[:, 0].abs()
    best = align_sim3(points, target, weights)

    def error(candidate: Sim3) -> float:
        return ((candidate.apply_points(points) - target).square().sum(-1) * weights).sum().item()

    for k in range(7):
        for step in (-1e-3, 1e-3):
            change = torch.zeros(7, dtype=F64)
            change[k] = step
            moved = Sim3(best.scale * (1 + change[6]), so3_exp(change[3:6]) @ best.R, best.t + change[:3])
            assert error(moved) > error(best)


def test_weights_of_zero_ignore_outliers():
    truth, points = random_sim3(1), random_points(1, 10)
    target = truth.apply_points(points)
    target[3] += 100
    weights = torch.ones(10, dtype=F64)
    weights[3] = 0
    assert_same(align_sim3(points, target, weights), truth)


def test_single_precision_input_is_aligned_in_double_precision():
    points = random_points(2, 10).float() + 1000
    estimate = align_sim3(points, 2 * points)
    assert estimate.scale.dtype == F64
    assert estimate.scale.item() == pytest.approx(2, abs=1e-12)
    assert estimate.apply_points(points).dtype == torch.float32


def test_no_points_give_the_identity():
    for points, weights in ((torch.zeros(0, 3), None), (torch.randn(4, 3), torch.zeros(4))):
        estimate = align_sim3(points, points + 1, weights)
        assert_same(estimate, Sim3(torch.ones((), dtype=F64), torch.eye(3, dtype=F64), torch.zeros(3, dtype=F64)))


def test_points_without_spread_are_only_moved():
    here, there = torch.tensor([1.0, 2, 3], dtype=F64), torch.tensor([-4.0, 5, 6], dtype=F64)
    spread = random_points(0, 4)
    for source, target in ((here[None], there[None]), (here.expand(4, 3), spread), (spread, there.expand(4, 3))):
        estimate = align_sim3(source, target)
        expected = Sim3(torch.ones((), dtype=F64), torch.eye(3, dtype=F64), target.mean(0) - source.mean(0))
        assert_same(estimate, expected)


@pytest.mark.parametrize("count", [2, 5])
@pytest.mark.parametrize("world", [[0.0, 0.0, 0.0], [0.7, -1.3, 2.1]])
def test_points_on_a_line_turn_as_little_as_possible(count, world):
    along = torch.linspace(-1, 2, count, dtype=F64)[:, None]
    view = so3_exp(torch.tensor(world, dtype=F64))
    direction = view @ torch.tensor([1.0, 0, 0], dtype=F64)
    turn = so3_exp(view @ torch.tensor([0, 0.3, 0.4], dtype=F64))
    estimate = align_sim3(along * direction, 3 * along * (turn @ direction))
    assert estimate.scale.item() == pytest.approx(3)
    assert so3_log(estimate.R).norm().item() == pytest.approx(0.5)
    torch.testing.assert_close(estimate.R, turn, atol=1e-9, rtol=0)
    opposite = align_sim3(along * direction, -along * direction)
    assert so3_log(opposite.R).norm().item() == pytest.approx(math.pi)
    torch.testing.assert_close(opposite.apply_points(along * direction), -along * direction, atol=1e-12, rtol=0)


def test_cameras_move_with_the_world():
    sim3 = random_sim3(7)
    c2w = se3_exp(torch.randn(5, 6, dtype=F64))
    moved = sim3.apply_c2w(c2w)
    torch.testing.assert_close(moved[:, :3, :3] @ moved[:, :3, :3].mT, torch.eye(3, dtype=F64).expand(5, 3, 3))
    # A point keeps its direction in the camera and changes its distance by the scale.
    point = torch.randn(3, dtype=F64)
    before = (c2w[:, :3, :3].mT @ (point - c2w[:, :3, 3])[..., None]).squeeze(-1)
    after = (moved[:, :3, :3].mT @ (sim3.apply_points(point) - moved[:, :3, 3])[..., None]).squeeze(-1)
    torch.testing.assert_close(after, sim3.scale * before)


@pytest.mark.parametrize("path", ["straight", "curved", "still"])
def test_cameras_align_by_place_and_direction(path):
    generator = torch.Generator().manual_seed(4)
    c2w = se3_exp(torch.randn(12, 6, dtype=F64, generator=generator))
    if path == "straight":
        c2w[:, :3, 3] = torch.linspace(0, 3, 12, dtype=F64)[:, None] * torch.tensor([0.6, 0.0, 0.8], dtype=F64)
    if path == "still":
        c2w[:, :3, 3] = torch.tensor([1.0, 2.0, 3.0], dtype=F64)
    truth = random_sim3(8)
    if path == "still":
        truth = Sim3(torch.ones((), dtype=F64), truth.R, truth.t)
    moved = truth.apply_c2w(c2w)
    assert_same(align_cameras(c2w, moved), truth, atol=1e-7)
    if path == "straight":
        # Centres alone cannot tell the roll.
        assert so3_log(align_sim3(c2w[:, :3, 3], moved[:, :3, 3]).R @ truth.R.mT).norm() > 0.1
