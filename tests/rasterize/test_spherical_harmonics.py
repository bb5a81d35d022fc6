"""The spherical harmonics against their defining property and against gsplat's."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from neoverse_ns.rasterize.spherical_harmonics import sh_basis, sh_colors


def test_basis_is_orthonormal_on_the_sphere() -> None:
    # Gauss-Legendre in z and even steps in longitude integrate polynomials of degree 6 exactly.
    nodes, weights = (torch.from_numpy(x) for x in np.polynomial.legendre.leggauss(8))
    longitude = torch.arange(16, dtype=torch.float64) * 2 * math.pi / 16
    ring = (1 - nodes**2).sqrt()[:, None]
    x, y = ring * longitude.cos(), ring * longitude.sin()
    directions = torch.stack([x, y, nodes[:, None].expand_as(x)], dim=-1).reshape(-1, 3)
    areas = (weights[:, None] * 2 * math.pi / 16).expand_as(x).reshape(-1)
    values = sh_basis(directions, 3)
    torch.testing.assert_close(values.T @ (areas[:, None] * values), torch.eye(16).double(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_colours_match_gsplats_torch_code(degree: int) -> None:
    reference = pytest.importorskip("gsplat.cuda._torch_impl")
    random = torch.Generator().manual_seed(degree)
    means, sh = torch.randn(50, 3, generator=random), torch.randn(50, 16, 3, generator=random)
    rotation = torch.linalg.qr(torch.randn(3, 3, generator=random)).Q
    viewmat = torch.eye(4)
    viewmat[:3, :3], viewmat[:3, 3] = rotation, torch.tensor([0.3, -0.2, 0.5])
    position = torch.linalg.inv(viewmat)[:3, 3]
    expected = (reference._spherical_harmonics(degree, means - position, sh) + 0.5).clamp_min(0)
    assert (expected == 0).any()
    torch.testing.assert_close(sh_colors(sh, means, viewmat, degree), expected, rtol=1e-5, atol=1e-5)
