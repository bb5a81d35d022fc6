"""The analytic system against automatic differentiation and a dense solve."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.reconstruct.bundle.cameras.normal_equations import normal_equations, residuals
from neoverse_ns.reconstruct.bundle.cameras.state import LensUnknowns, State
from tests.reconstruct.bundle.scenes import empty_observations, random_state, with_seen


LENSES = [LensUnknowns(), LensUnknowns(zoom=True), LensUnknowns(radial=True), LensUnknowns(True, True)]


def _problem(lens: LensUnknowns) -> tuple:
    observations = empty_observations(3, stride=16)
    points = observations.points.shape[0]
    truth = random_state(3, points, 0.8, seed=1)
    focal = truth.focal * torch.tensor([1.0, 1.1, 0.9], dtype=torch.float64) if lens.zoom else truth.focal
    radial = torch.tensor(0.2 if lens.radial else 0.0, dtype=torch.float64)
    observations = with_seen(observations, State(truth.poses, truth.inverse_depth, focal, radial))
    state = State(truth.poses, truth.inverse_depth * 1.1, focal * 1.2, radial * 0.8)
    weights = torch.rand(observations.weights.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    return observations, state, weights


def _dense_jacobian(observations, state, weights, lens):
    """Whitened Jacobian and residual over [poses, log focal, radial, depths] by automatic differentiation."""
    n, p = state.inverse_depth.shape
    cameras = 6 * n + lens.count(n)

    def whitened(x):
        poses = se3_exp(x[: 6 * n].view(n, 6)) @ state.poses
        focal = state.focal * torch.exp(x[6 * n : 7 * n] if lens.zoom else x[6 * n])
        radial = state.radial + (x[cameras - 1] if lens.radial else 0)
        moved = State(poses, state.inverse_depth + x[cameras:].view(n, p), focal, radial)
        return (residuals(observations, moved).error * weights.sqrt()[:, None]).flatten()

    zero = torch.zeros(cameras + n * p, dtype=torch.float64)
    return torch.autograd.functional.jacobian(whitened, zero), whitened(zero)


@pytest.mark.parametrize("lens", LENSES)
def test_blocks_agree_with_automatic_differentiation(lens):
    observations, state, weights = _problem(lens)
    n, p = state.inverse_depth.shape
    size = 6 * n + lens.count(n)
    jacobian, error = _dense_jacobian(observations, state, weights, lens)
    hessian, gradient = jacobian.T @ jacobian, jacobian.T @ error
    system = normal_equations(observations, state, residuals(observations, state), weights, lens=lens)
    torch.testing.assert_close(system.hessian, hessian[:size, :size], rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(system.gradient, gradient[:size], rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(system.curvature.flatten(), hessian.diagonal()[size:], rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(system.depth_gradient.flatten(), gradient[size:], rtol=1e-9, atol=1e-9)
    mixed = torch.zeros(n, size + 1, p, dtype=torch.float64)
    for k in range(n):
        mixed[k].index_add_(0, system.index[k], system.cross[k])
    expected = hessian[:size, size:].view(size, n, p).transpose(0, 1)
    torch.testing.assert_close(mixed[:, :size], expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("lens", LENSES)
def test_schur_solve_equals_dense_solve(lens):
    observations, state, weights = _problem(lens)
    n = len(state.inverse_depth)
    jacobian, error = _dense_jacobian(observations, state, weights, lens)
    size = 6 * n + lens.count(n)
    damping = 0.1
    hessian = jacobian.T @ jacobian
    hessian = hessian + damping * torch.diag(hessian.diagonal())
    keep = torch.ones(len(hessian), dtype=torch.bool)
    keep[:6] = False
    step = torch.zeros(len(hessian), dtype=torch.float64)
    step[keep] = -torch.linalg.solve(hessian[keep][:, keep], (jacobian.T @ error)[keep])
    system = normal_equations(observations, state, residuals(observations, state), weights, lens=lens)
    cameras, depths = system.solve(damping, keep[:size])
    torch.testing.assert_close(cameras, step[:size], rtol=1e-5, atol=1e-8)
    torch.testing.assert_close(depths.flatten(), step[size:], rtol=1e-5, atol=1e-8)
