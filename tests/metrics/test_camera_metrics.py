"""Camera errors on trajectories whose errors are known in closed form."""

import math

import pytest
import torch

from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.se3 import assemble, se3_exp, so3_exp
from neoverse_ns.metrics.camera import ate, ate_percent_of_path, focal_error_percent, rpe_rotation_degrees

F64 = torch.float64


def walk(count: int = 12) -> torch.Tensor:
    torch.manual_seed(0)
    s = torch.linspace(0, 2, count, dtype=F64)
    centres = torch.stack([s, (2 * s).sin(), 0.3 * s**2], dim=-1)
    return assemble(so3_exp(0.2 * torch.randn(count, 3, dtype=F64)), centres)


def any_sim3() -> Sim3:
    return Sim3(
        torch.tensor(0.37, dtype=F64),
        so3_exp(torch.tensor([0.4, -1.1, 2.0], dtype=F64)),
        torch.tensor([5.0, -3.0, 1.0], dtype=F64),
    )


def test_a_similar_trajectory_has_no_error():
    reference = walk()
    error = ate(any_sim3().apply_c2w(reference), reference)
    assert error.rmse == pytest.approx(0, abs=1e-12)
    assert error.scale == pytest.approx(1 / 0.37)
    assert error.reason is None


def test_symmetric_noise_has_a_known_rmse():
    # Points on the corners of a cube and noise that is orthogonal to every similarity: the first-order changes a
    # similarity can make are shift, turn and stretch, and x*y*z along x is orthogonal to all of them.
    corners = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=F64)] * 3)
    reference = assemble(torch.eye(3, dtype=F64).expand(8, 3, 3), corners)
    estimate = reference.clone()
    estimate[:, 0, 3] += 0.1 * corners.prod(-1)
    # Least squares from the noisy side shrinks by |p . q| / |p|^2 = 24 / 24.08.
    expected = math.sqrt((24 - 24**2 / 24.08) / 8)
    error = ate(any_sim3().apply_c2w(estimate), reference)
    assert error.rmse == pytest.approx(expected, abs=1e-12)
    length = (corners[1:] - corners[:-1]).norm(dim=-1).sum().item()
    assert error.path_length == pytest.approx(length)
    assert ate_percent_of_path(estimate, reference) == pytest.approx(100 * expected / length)


def test_degenerate_trajectories_say_why():
    moving = walk(5)
    still = moving[:1].expand(5, 4, 4)
    for error in (ate(moving[:2], moving[:2]), ate(moving, still), ate(moving * math.nan, moving)):
        assert math.isnan(error.rmse)
        assert math.isnan(error.percent_of_path)
        assert error.reason
    standing = ate(still, moving)
    centres = moving[:, :3, 3]
    assert standing.rmse == pytest.approx((centres - centres.mean(0)).square().sum(-1).mean().sqrt().item())
    assert math.isnan(standing.scale)
    assert "does not move" in (standing.reason or "")
    single = rpe_rotation_degrees(moving[:1], moving[:1])
    assert math.isnan(single.median)
    assert single.reason


def test_float32_jitter_of_a_still_camera_counts_as_still():
    still = se3_exp(torch.tensor([3.0, 2, 1, 0.1, 0.2, 0.3])).expand(6, 4, 4)
    assert ate(walk(6).float(), still).reason is not None


def test_rotation_error_per_step():
    reference = walk(6)
    drift = torch.arange(6, dtype=F64)[:, None] * torch.tensor([0, 0, math.radians(2)], dtype=F64)
    drift[5] += torch.tensor([0, 0, math.radians(10)], dtype=F64)
    turned = reference.clone()
    # Turned in the world about the fixed camera-independent axis, every step gains 2 degrees, the last 12.
    turned[:, :3, :3] = so3_exp(drift) @ reference[:, :3, :3]
    error = rpe_rotation_degrees(turned, reference)
    assert error.median == pytest.approx(2, abs=1e-9)
    assert error.mean == pytest.approx((4 * 2 + 12) / 5, abs=1e-9)
    aligned = rpe_rotation_degrees(any_sim3().apply_c2w(reference), reference)
    assert aligned.mean == pytest.approx(0, abs=1e-9)


def test_focal_error_is_signed_and_independent_of_the_image_size():
    K = torch.eye(3).expand(4, 3, 3).clone()
    K[:, 0, 0] = torch.tensor([440.0, 440.0, 440.0, 9000.0])
    reference = torch.eye(3).expand(2, 3, 3).clone()
    reference[:, 0, 0] = 800.0
    assert focal_error_percent(K, 400, reference, 800) == pytest.approx(10)
    assert focal_error_percent(reference, 800, K, 400) == pytest.approx(100 * (1 / 1.1 - 1))
