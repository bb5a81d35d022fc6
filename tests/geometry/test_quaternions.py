"""Quaternions against scipy's Rotation and against rotation matrices."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation, Slerp

from neoverse_ns.geometry import quaternions as quat
from neoverse_ns.geometry.se3 import so3_exp

seeds = st.integers(0, 2**31 - 1)


def random_quaternions(seed: int, count: int = 8) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return quat.normalize(torch.randn(count, 4, dtype=torch.float64, generator=generator))


def to_scipy(q: torch.Tensor) -> Rotation:
    return Rotation.from_quat(q[:, [1, 2, 3, 0]].numpy())


def assert_same_rotation(a: torch.Tensor, b: torch.Tensor) -> None:
    """q and -q are the same rotation."""
    sign = torch.sign((a * b).sum(-1, keepdim=True))
    torch.testing.assert_close(a, sign * b, atol=1e-12, rtol=0)


@given(seeds)
def test_products_matrices_and_rotated_vectors_match_scipy(seed):
    a, b = random_quaternions(seed), random_quaternions(seed + 1)
    v = torch.randn(8, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    ours = quat.to_matrix(quat.multiply(a, b)).numpy()
    np.testing.assert_allclose(ours, (to_scipy(a) * to_scipy(b)).as_matrix(), atol=1e-13)
    np.testing.assert_allclose(quat.rotate(a, v).numpy(), to_scipy(a).apply(v.numpy()), atol=1e-13)
    np.testing.assert_allclose(quat.to_axis_angle(a).numpy(), to_scipy(a).as_rotvec(), atol=1e-12)
    np.testing.assert_allclose(quat.to_matrix(quat.conjugate(a)).numpy(), to_scipy(a).inv().as_matrix(), atol=1e-13)


@given(seeds)
def test_matrix_round_trip(seed):
    q = random_quaternions(seed)
    back = quat.from_matrix(quat.to_matrix(q))
    assert (back[:, 0] >= 0).all()
    assert_same_rotation(back, q)


@pytest.mark.parametrize("row", range(4))
def test_from_matrix_is_exact_for_half_turns_and_the_identity(row):
    q = torch.nn.functional.one_hot(torch.tensor(row), 4).double()
    torch.testing.assert_close(quat.from_matrix(quat.to_matrix(q)), q, atol=0, rtol=0)


@given(seeds, st.floats(0, 1))
def test_slerp_matches_scipy(seed, t):
    a, b = random_quaternions(seed), random_quaternions(seed + 1)
    ours = quat.slerp(a, b, torch.full((8,), t, dtype=torch.float64))
    for one, start, end in zip(ours, a, b, strict=True):
        reference = Slerp([0, 1], to_scipy(torch.stack([start, end])))([t])
        assert_same_rotation(one[None], torch.from_numpy(reference.as_quat()[:, [3, 0, 1, 2]].copy()))


def test_slerp_goes_the_short_way_from_either_sign():
    a = torch.tensor([1.0, 0, 0, 0], dtype=torch.float64)
    b = quat.from_axis_angle(torch.tensor([0, 0.4, 0], dtype=torch.float64))
    for end in (b, -b):
        assert_same_rotation(
            quat.slerp(a, end, 0.25), quat.from_axis_angle(torch.tensor([0, 0.1, 0], dtype=torch.float64))
        )


def test_slerp_has_finite_gradients_between_equal_ends():
    q = torch.tensor([0.6, 0.0, 0.8, 0.0], dtype=torch.float64, requires_grad=True)
    quat.slerp(q, q.detach(), 0.3).sum().backward()
    assert q.grad is not None
    assert q.grad.isfinite().all()


def test_lengths_do_not_matter_and_zero_means_no_rotation():
    q = random_quaternions(5)
    torch.testing.assert_close(quat.to_matrix(7 * q), quat.to_matrix(q))
    torch.testing.assert_close(quat.to_matrix(torch.zeros(4)), torch.eye(3))


@pytest.mark.parametrize("size", [0.0, 1e-12, 1e-4, 0.7, 3.1])
def test_axis_angle_agrees_with_the_exponential_map_in_value_and_gradient(size):
    w = torch.tensor([0.36, 0.48, -0.8], dtype=torch.float64) * size
    torch.testing.assert_close(quat.to_matrix(quat.from_axis_angle(w)), so3_exp(w), atol=1e-14, rtol=0)
    ours = torch.autograd.functional.jacobian(lambda x: quat.to_matrix(quat.from_axis_angle(x)), w)
    reference = torch.autograd.functional.jacobian(so3_exp, w)
    torch.testing.assert_close(ours, reference, atol=1e-12, rtol=0)


def test_multiply_and_rotate_broadcast():
    one = quat.from_axis_angle(torch.tensor([0.0, 0.0, math.pi / 2]))
    v = torch.tensor([[1.0, 0, 0], [0, 1.0, 0]])
    torch.testing.assert_close(quat.rotate(one, v), torch.tensor([[0.0, 1, 0], [-1, 0, 0]]), atol=1e-6, rtol=0)
    assert quat.multiply(one[None], torch.randn(5, 4)).shape == (5, 4)
