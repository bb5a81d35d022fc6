"""Axes named otherwise: the same ellipsoids, turned the same way."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from neoverse_ns.export.page.axes import cube_rotations, least_turned


def test_there_are_24_rotations_of_a_cube() -> None:
    assert len({tuple(turn.flatten().tolist()) for turn in cube_rotations()}) == 24
    torch.testing.assert_close(torch.linalg.det(cube_rotations()), torch.ones(24, dtype=torch.float64))


def test_shapes_and_their_turns_stay_and_rotations_become_small() -> None:
    torch.manual_seed(0)
    quats = 3 * torch.randn(2000, 4, dtype=torch.float64)
    logs, turns = torch.randn(2000, 3, dtype=torch.float64), torch.randn(2000, 2, 3, dtype=torch.float64)
    turned, scales, moved = least_turned(quats, logs, turns)
    # The farthest from all of a cube's rotations: 62.8 degrees.
    assert turned[:, 0].min() >= math.cos(math.radians(62.8) / 2) - 1e-3
    torch.testing.assert_close(turned.norm(dim=1), torch.ones(2000, dtype=torch.float64))

    def covariance(wxyz: torch.Tensor, log_scales: torch.Tensor, turn: torch.Tensor) -> np.ndarray:
        axes = (Rotation.from_quat(wxyz.numpy()[:, [1, 2, 3, 0]]) * Rotation.from_rotvec(turn.numpy())).as_matrix()
        axes = axes * log_scales.exp().numpy()[:, None]
        return axes @ axes.transpose(0, 2, 1)

    for part in (0.0, 0.7):
        before, after = covariance(quats, logs, part * turns[:, 1]), covariance(turned, scales, part * moved[:, 1])
        np.testing.assert_allclose(after, before, atol=1e-9)
