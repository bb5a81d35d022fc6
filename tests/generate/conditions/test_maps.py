"""Plücker maps and normalised depth, against the released model's numbers and closed forms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from neoverse_ns.generate.conditions.depth import normalise_depth, quantile
from neoverse_ns.generate.conditions.plucker import plucker_maps
from neoverse_ns.geometry.se3 import se3_exp
from tests.fixtures.published import FOLDERS, read_arrays


@pytest.mark.parametrize("folder", FOLDERS)
def test_plucker_maps_are_those_of_the_released_model(folder: Path) -> None:
    wanted = read_arrays(folder, "conditions")
    poses, K = (torch.from_numpy(wanted[name].whole) for name in ("plucker.poses", "plucker.K"))
    maps = plucker_maps(poses, K, *wanted["plucker"].shape[-2:])
    assert wanted["plucker"].deviation(maps.numpy()) < 1e-5


def test_plucker_coordinates_do_not_depend_on_the_point_chosen_on_the_ray() -> None:
    c2w = se3_exp(torch.tensor([0.3, -0.2, 0.5, 0.1, 0.4, -0.2], dtype=torch.float64))
    K = torch.tensor([[40.0, 0.0, 16.0], [0.0, 42.0, 9.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
    direction, moment = plucker_maps(c2w, K, 18, 32).movedim(0, -1).split(3, dim=-1)
    torch.testing.assert_close(direction.norm(dim=-1), torch.ones(18, 32, dtype=torch.float64))
    # The ray through integer pixel (16, 9), the principal point, is the optical axis.
    torch.testing.assert_close(direction[9, 16], c2w[:3, 2])
    ahead = c2w[:3, 3] + 2.5 * direction
    torch.testing.assert_close(moment, torch.linalg.cross(ahead, direction))


def test_depth_is_scaled_by_its_98th_percentile_over_the_whole_clip() -> None:
    depth = torch.rand(3, 20, 30, generator=torch.Generator().manual_seed(0)) * 7
    wanted = np.clip(2 * depth.numpy() / np.quantile(depth.numpy(), 0.98) - 1, -1, 1)
    torch.testing.assert_close(normalise_depth(depth), torch.from_numpy(wanted.astype(np.float32)))
    torch.testing.assert_close(normalise_depth(1000 * depth), normalise_depth(depth))
    assert torch.equal(normalise_depth(torch.zeros(2, 4, 4)), torch.full((2, 4, 4), -1.0))


def test_quantiles_are_those_of_torch_for_any_number_of_values() -> None:
    for count in (1, 2, 3, 50, 101):
        values = torch.randn(count, generator=torch.Generator().manual_seed(count))
        for q in (0.0, 0.37, 0.98, 1.0):
            torch.testing.assert_close(quantile(values, q), torch.quantile(values, q))
