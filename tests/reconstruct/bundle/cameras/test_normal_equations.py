"""The analytic system against automatic differentiation and a dense solve."""

from __future__ import annotations

import torch

from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.reconstruct.bundle.cameras.normal_equations import State, normal_equations, residuals
from tests.reconstruct.bundle.scenes import empty_observations, random_state, with_seen


def _problem() -> tuple:
    observations = empty_observations(3, stride=16)
    points = observations.points.shape[0]
    truth = random_state(3, points, 0.8, seed=1)
    observations = with_seen(observations, truth)
    state = State(truth.poses, truth.inverse_depth * 1.1, truth.focal * 1.2)
    weights = torch.rand(observations.weights.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    return observations, state, weights


def _dense_jacobian(observations, state, weights):
    """Whitened Jacobian and residual over [poses, log focal, depths] by automatic differentiation."""
    n, p = state.inverse_depth.shape

    def whitened(x):
        poses = se3_exp(x[: 6 * n].view(n, 6)) @ state.poses
        moved = State(poses, state.inverse_depth + x[6 * n + 1 :].view(n, p), state.focal * torch.exp(x[6 * n]))
        return (residuals(observations, moved).error * weights.sqrt()[:, None]).flatten()

    zero = torch.zeros(6 * n + 1 + n * p, dtype=torch.float64)
    return torch.autograd.functional.jacobian(whitened, zero), whitened(zero)


def test_blocks_agree_with_automatic_differentiation():
    observations, state, weights = _problem()
    n, p = state.inverse_depth.shape
    size = 6 * n + 1
    jacobian, error = _dense_jacobian(observations, state, weights)
    hessian, gradient = jacobian.T @ jacobian, jacobian.T @ error
    system = normal_equations(observations, state, residuals(observations, state), weights)
    torch.testing.assert_close(system.hessian, hessian[:size, :size], rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(system.gradient, gradient[:size], rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(system.curvature.flatten(), hessian.diagonal()[size:], rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(system.depth_gradient.flatten(), gradient[size:], rtol=1e-9, atol=1e-9)
    mixed = torch.zeros(n, size + 1, p, dtype=torch.float64)
    for k in range(n):
        mixed[k].index_add_(0, system.index[k], system.cross[k])
    expected = hessian[:size, size:].view(size, n, p).transpose(0, 1)
    torch.testing.assert_close(mixed[:, :size], expected, rtol=1e-9, atol=1e-9)


def test_schur_solve_equals_dense_solve():
    observations, state, weights = _problem()
    n = len(state.inverse_depth)
    jacobian, error = _dense_jacobian(observations, state, weights)
    damping = 0.1
    hessian = jacobian.T @ jacobian
    hessian = hessian + damping * torch.diag(hessian.diagonal())
    keep = torch.ones(len(hessian), dtype=torch.bool)
    keep[:6] = False
    step = torch.zeros(len(hessian), dtype=torch.float64)
    step[keep] = -torch.linalg.solve(hessian[keep][:, keep], (jacobian.T @ error)[keep])
    system = normal_equations(observations, state, residuals(observations, state), weights)
    cameras, depths = system.solve(damping, keep[: 6 * n + 1])
    torch.testing.assert_close(cameras, step[: 6 * n + 1], rtol=1e-5, atol=1e-8)
    torch.testing.assert_close(depths.flatten(), step[6 * n + 1 :], rtol=1e-5, atol=1e-8)
