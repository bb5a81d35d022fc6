"""SO(3) and SE(3): group axioms, round trips near zero and near half a turn, gradients at the identity."""

import math

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neoverse_ns.geometry.se3 import se3_exp, se3_inverse, skew, so3_exp, so3_log

EYE3, EYE4 = torch.eye(3, dtype=torch.float64), torch.eye(4, dtype=torch.float64)
directions = hnp.arrays(np.float64, 3, elements=st.floats(-1, 1)).filter(lambda v: np.linalg.norm(v) > 1e-3)
angles = st.one_of(
    st.floats(0, math.pi - 1e-9),
    st.floats(0, 1e-3),
    st.sampled_from([0.0, 1e-300, 1e-20, 1e-8, 0.0999, 0.1001, 0.4999, 0.5001, 1.0]),
    st.floats(1e-9, 1e-3).map(lambda x: math.pi - x),
)
rotation_vectors = st.builds(lambda d, a: torch.from_numpy(d / np.linalg.norm(d) * a), directions, angles)
translations = hnp.arrays(np.float64, 3, elements=st.floats(-10, 10)).map(torch.from_numpy)
twists = st.builds(lambda t, w: torch.cat([t, w]), translations, rotation_vectors)


@given(rotation_vectors)
def test_so3_exp_is_a_rotation_and_matches_the_matrix_exponential(w):
    R = so3_exp(w)
    torch.testing.assert_close(R @ R.T, EYE3, atol=1e-13, rtol=0)
    assert torch.linalg.det(R) > 0
    torch.testing.assert_close(R, torch.linalg.matrix_exp(skew(w)), atol=1e-13, rtol=0)


@given(rotation_vectors)
def test_so3_round_trip(w):
    # Near half a turn the vector may come back reversed; the rotation may not change. Elsewhere both must agree.
    back = so3_log(so3_exp(w))
    torch.testing.assert_close(so3_exp(back), so3_exp(w), atol=1e-13, rtol=0)
    if w.norm() < math.pi - 1e-6:
        torch.testing.assert_close(back, w, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("axis", [[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0], [0.6, 0, -0.8], [-0.48, 0.6, 0.64]])
def test_half_turns_keep_their_axis(axis):
    axis = torch.tensor(axis, dtype=torch.float64)
    half_turn = 2 * torch.outer(axis, axis) - EYE3
    w = so3_log(half_turn)
    assert w.norm().item() == pytest.approx(math.pi, abs=1e-14)
    assert abs((w / math.pi) @ axis).item() == pytest.approx(1, abs=1e-14)


@given(twists)
def test_se3_exp_matches_the_matrix_exponential(xi):
    generator = torch.zeros(4, 4, dtype=torch.float64)
    generator[:3, :3], generator[:3, 3] = skew(xi[3:]), xi[:3]
    torch.testing.assert_close(se3_exp(xi), torch.linalg.matrix_exp(generator), atol=1e-12, rtol=0)


@given(twists)
def test_rotations_of_twists_come_back(xi):
    R = se3_exp(xi)[:3, :3]
    if xi[3:].norm() < math.pi - 1e-6:
        torch.testing.assert_close(so3_log(R), xi[3:], atol=1e-10, rtol=1e-10)


@given(twists)
def test_inverse_both_ways(xi):
    T = se3_exp(xi)
    torch.testing.assert_close(T @ se3_inverse(T), EYE4, atol=1e-12, rtol=0)
    torch.testing.assert_close(se3_inverse(T) @ T, EYE4, atol=1e-12, rtol=0)
    torch.testing.assert_close(se3_inverse(T), se3_exp(-xi), atol=1e-12, rtol=0)


@given(twists, twists, twists)
@settings(max_examples=30)
def test_associativity_and_closure(a, b, c):
    A, B, C = se3_exp(a), se3_exp(b), se3_exp(c)
    torch.testing.assert_close((A @ B) @ C, A @ (B @ C), atol=1e-11, rtol=0)
    torch.testing.assert_close((A @ B)[:3, :3] @ (A @ B)[:3, :3].T, EYE3, atol=1e-11, rtol=0)
    assert torch.equal((A @ B)[3], EYE4[3])


@given(rotation_vectors, translations)
@settings(max_examples=30)
def test_adjoint_identity(w, v):
    R = so3_exp(w)
    torch.testing.assert_close(R @ skew(v) @ R.T, skew(R @ v), atol=1e-11, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_at_zero_are_the_generators(dtype):
    zero = torch.zeros(6, dtype=dtype)
    jacobian = torch.autograd.functional.jacobian(se3_exp, zero)
    assert jacobian.dtype == dtype
    expected = torch.zeros(4, 4, 6, dtype=dtype)
    for k in range(3):
        expected[k, 3, k] = 1
        expected[:3, :3, 3 + k] = skew(torch.eye(3, dtype=dtype)[k])
    torch.testing.assert_close(jacobian, expected, atol=0, rtol=0)


@pytest.mark.parametrize("size", [0.0, 1e-9, 1e-3, 0.3, 1.5, 3.0])
def test_gradients_against_finite_differences(size):
    torch.manual_seed(0)
    xi = torch.randn(6, dtype=torch.float64)
    xi[3:] *= size / xi[3:].norm()
    xi.requires_grad_(True)
    assert torch.autograd.gradcheck(se3_exp, xi)


def test_float32_stays_accurate_between_series_and_closed_form():
    size = torch.logspace(-6, 0.49, 200, dtype=torch.float64)
    xi = torch.nn.functional.normalize(torch.tensor([[0.3, -0.5, 0.8]], dtype=torch.float64)) * size[:, None]
    xi = torch.cat([torch.ones_like(xi), xi], dim=-1)
    single = se3_exp(xi.to(torch.float32))
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), se3_exp(xi), atol=5e-7, rtol=0)
    torch.testing.assert_close(so3_log(single[:, :3, :3]).double(), xi[:, 3:], atol=5e-6, rtol=0)


def test_batches_broadcast_over_leading_dimensions():
    torch.manual_seed(1)
    xi = torch.randn(2, 3, 6)
    T = se3_exp(xi)
    assert T.shape == (2, 3, 4, 4)
    torch.testing.assert_close(T[1, 2], se3_exp(xi[1, 2]))
    assert so3_log(T[..., :3, :3]).shape == (2, 3, 3)
    assert se3_exp(torch.zeros(0, 6)).shape == (0, 4, 4)
