"""The still surface behind a mover, as cameras elsewhere have seen it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.reconstruct.bundle.motion.hidden_surface import hidden_surfaces

H, W, F, COUNT = 96, 160, 120.0, 5


def _scene() -> tuple[torch.Tensor, torch.Tensor, np.ndarray]:
    """Cameras that walk forward toward a wall at z = 4, its depth, and a mask that wanders from left to right."""
    twists = torch.zeros(COUNT, 6, dtype=torch.float64)
    twists[:, 2] = -0.1 * torch.arange(COUNT)
    viewmats = se3_exp(twists)
    depth = (4 - 0.1 * torch.arange(COUNT).float())[:, None, None].expand(COUNT, H, W).clone()
    moving = np.zeros((COUNT, H, W), bool)
    for place in range(COUNT):
        moving[place, 30:70, 10 + 30 * place : 32 + 30 * place] = True
    return viewmats, depth, moving


def test_what_others_saw_is_found_behind_a_mover_and_around_it() -> None:
    viewmats, depth, moving = _scene()
    wrong = depth.clone()
    wrong[torch.from_numpy(moving)] = 0.7
    found = hidden_surfaces(wrong, torch.ones_like(depth), moving, viewmats, F)
    for place in range(COUNT):
        known = np.isfinite(found[place])
        assert known[moving[place]].mean() > 0.95
        assert found[place][known] == pytest.approx(depth[place].numpy()[known], rel=1e-5)
        assert not known[:, : max(10 + 30 * place - 14, 0)].any()


def test_nobody_knows_what_nobody_saw() -> None:
    viewmats, depth, moving = _scene()
    moving[:] = moving[2]
    for found in hidden_surfaces(depth, torch.ones_like(depth), moving, viewmats, F):
        assert not np.isfinite(found[moving[2]][200:-200]).all()
        assert np.isfinite(found[moving[2]]).mean() < 0.3
    unsure = hidden_surfaces(depth, torch.zeros_like(depth), moving, viewmats, F)
    assert not any(np.isfinite(found).any() for found in unsure)


def test_a_single_keyframe_knows_nothing() -> None:
    viewmats, depth, moving = _scene()
    (found,) = hidden_surfaces(depth[:1], torch.ones_like(depth[:1]), moving[:1], viewmats[:1], F)
    assert np.isnan(found).all()
