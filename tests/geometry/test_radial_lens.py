"""The lens against its own formula, roots of cubics and automatic differentiation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neoverse_ns.geometry.radial_lens import distort, distort_slopes, undistort, undistort_slopes

RADIALS = [0.4, 0.1, 0.0, -0.1]


def positions() -> torch.Tensor:
    return torch.rand(2, 40, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 1.6 - 0.8


@pytest.mark.parametrize("radial", RADIALS)
def test_distorting_inverts_undistorting(radial: float):
    k = torch.tensor(radial, dtype=torch.float64)
    torch.testing.assert_close(distort(undistort(positions(), k), k), positions(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("radial", [0.4, -0.1])
def test_radii_are_roots_of_the_cubic(radial: float):
    slopes = positions()
    seen = distort(slopes, torch.tensor(radial, dtype=torch.float64))
    for slope, radius in zip(slopes.norm(dim=0).tolist(), seen.norm(dim=0).tolist(), strict=True):
        roots = np.roots([radial, 0, 1, -slope])
        real = min(root.real for root in roots if abs(root.imag) < 1e-9 and root.real > 0)
        assert radius == pytest.approx(real, rel=1e-8)


def test_a_barrel_draws_the_border_in_and_a_pincushion_pushes_it_out():
    corner = torch.tensor([[0.7], [0.4]], dtype=torch.float64)
    assert float(distort(corner, torch.tensor(0.2)).norm()) < float(corner.norm())
    assert float(distort(corner, torch.tensor(-0.1)).norm()) > float(corner.norm())


@pytest.mark.parametrize("radial", RADIALS)
def test_slopes_are_derivatives(radial: float):
    k = torch.tensor(radial, dtype=torch.float64)
    by_focal, by_radial = undistort_slopes(positions(), k)
    step = 1e-6
    longer = undistort(positions() * np.exp(-step), k) - undistort(positions() * np.exp(step), k)
    torch.testing.assert_close(by_focal, longer / (2 * step), rtol=1e-6, atol=1e-6)
    bent = undistort(positions(), k + step) - undistort(positions(), k - step)
    torch.testing.assert_close(by_radial, bent / (2 * step), rtol=1e-6, atol=1e-6)
    slopes = undistort(positions(), k)
    by_slope, by_coefficient = distort_slopes(slopes, positions(), k)
    for axis in (0, 1):
        shift = torch.zeros(2, 1, dtype=torch.float64)
        shift[axis] = step
        moved = distort(slopes + shift, k) - distort(slopes - shift, k)
        torch.testing.assert_close(by_slope[:, axis], moved / (2 * step), rtol=1e-5, atol=1e-6)
    nearby = distort(slopes, k + step) - distort(slopes, k - step)
    expected = nearby / (2 * step) if radial else -positions() * positions().square().sum(0)
    torch.testing.assert_close(by_coefficient, expected, rtol=1e-4, atol=1e-5)
