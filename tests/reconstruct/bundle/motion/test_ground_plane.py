"""The ground's plane, on exact depth of a floor between walls from walking cameras."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.reconstruct.bundle.motion.ground_plane import find_ground

H, W, F, COUNT = 96, 144, 110.0, 4
HEIGHT = 0.6


def _cameras(tilt: float) -> torch.Tensor:
    """World-to-camera; the world's floor lies at y = HEIGHT."""
    twists = torch.zeros(COUNT, 6, dtype=torch.float64)
    twists[:, 2] = -0.15 * torch.arange(COUNT)
    twists[:, 3] = tilt
    return se3_exp(twists)


def _depth(viewmats: torch.Tensor, floor: bool) -> torch.Tensor:
    """Exact z-depth of walls at x = -2 and x = 2 and at z = 6, and of the floor."""
    c2w = torch.linalg.inv(viewmats)
    y, x = torch.meshgrid(torch.arange(H) + 0.5, torch.arange(W) + 0.5, indexing="ij")
    rays = torch.stack([(x - W / 2) / F, (y - H / 2) / F, torch.ones_like(x)], -1).double()
    rays = torch.einsum("kab,hwb->khwa", c2w[:, :3, :3], rays)
    nearest = torch.full((COUNT, H, W), torch.inf, dtype=torch.float64)
    for axis, at in ((0, -2.0), (0, 2.0), (2, 6.0), *([(1, HEIGHT)] if floor else [])):
        z = (at - c2w[:, axis, 3, None, None]) / rays[..., axis]
        nearest = torch.minimum(nearest, torch.where(z > 0, z, torch.inf))
    return nearest.float()


@pytest.mark.parametrize(("tilt", "stretch"), [(0.0, 0.0), (0.2, 0.0), (0.2, 0.15)])
def test_the_plane_is_that_of_the_floor(tilt: float, stretch: float) -> None:
    """Also where lenses that differ are written as stretches and shears of the cameras' axes."""
    lens = torch.eye(4, dtype=torch.float64)
    lens[0, 0], lens[1, 1], lens[0, 2], lens[1, 2] = 1 + stretch, 1 - stretch, 0.5 * stretch, -0.3 * stretch
    viewmats = lens @ _cameras(tilt)
    depth = _depth(viewmats, floor=True)
    random = torch.Generator().manual_seed(0)
    noisy = depth * (1 + 0.02 * torch.randn(depth.shape, generator=random))
    nothing = np.zeros(depth.shape, bool)
    found = find_ground(noisy, torch.ones_like(depth), nothing, viewmats, F)
    assert found is not None
    assert found.normal == pytest.approx([0.0, 1.0, 0.0], abs=0.02)
    assert found.offset == pytest.approx(HEIGHT, rel=0.02)
    on_floor = (depth < 0.999 * _depth(viewmats, floor=False)).numpy()
    for place in range(COUNT):
        seen = found.depth(viewmats[place], F, (H, W))
        assert on_floor[place].mean() > 0.1
        assert seen[on_floor[place]] == pytest.approx(depth[place].numpy()[on_floor[place]], rel=0.05)
        # The horizon runs through the picture.
        assert np.isinf(seen[0]).all()


def test_where_there_is_no_floor_none_is_found() -> None:
    viewmats = _cameras(0.0)
    depth = _depth(viewmats, floor=False)
    assert find_ground(depth, torch.ones_like(depth), np.zeros(depth.shape, bool), viewmats, F) is None


def test_depth_that_nobody_trusts_and_what_moves_make_no_floor() -> None:
    viewmats = _cameras(0.0)
    depth = _depth(viewmats, floor=True)
    everywhere = np.ones(depth.shape, bool)
    assert find_ground(depth, torch.zeros_like(depth), ~everywhere, viewmats, F) is None
    assert find_ground(depth, torch.ones_like(depth), everywhere, viewmats, F) is None
