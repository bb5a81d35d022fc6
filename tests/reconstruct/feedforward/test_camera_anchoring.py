"""Cameras that follow the keyframes."""

from __future__ import annotations

import math

import torch

from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.interpolation import interpolate_c2w
from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.reconstruct.feedforward.camera_anchoring import anchor_cameras

W, H = 40, 30


def cameras(count: int, step: float = 0.1, focal: float = 35.0) -> PinholeCameras:
    twist = torch.tensor([step, -step / 3, step / 2, step / 5, -step / 4, step / 10])
    K = torch.tensor([[focal, 0, W / 2], [0, focal, H / 2], [0, 0, 1]]).repeat(count, 1, 1)
    return PinholeCameras(se3_exp(torch.arange(count, dtype=torch.float32)[:, None] * twist), K, W, H)


def test_anchored_cameras_meet_the_keyframes_and_keep_their_place_between() -> None:
    true = cameras(9)
    positions, at = [0, 4, 8], torch.linspace(0, 1, 9)
    # The other pass has another world, and a focal length that is 10 % too long.
    gauge = se3_exp(torch.tensor([[0.3, 0.2, -0.4, 0.1, 0.2, 0.3]]))
    K = true.K.clone()
    K[:, [0, 1], [0, 1]] *= 1.1
    seen = PinholeCameras(gauge @ true.c2w, K, W, H)
    joined = anchor_cameras(seen, true[positions], positions, at)
    torch.testing.assert_close(joined.c2w, true.c2w, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(joined.K, true.K, atol=1e-4, rtol=1e-5)


def test_the_correction_changes_steadily_between_keyframes() -> None:
    true = cameras(5, step=0.0)
    drift = torch.zeros(5, 6)
    drift[:, 0] = torch.tensor([0.0, 0.1, 0.2, 0.3, 0.4])
    drift[:, 5] = torch.tensor([0.0, 0.01, 0.02, 0.03, 0.04]) * math.pi
    seen = PinholeCameras(se3_exp(drift), true.K, W, H)
    joined = anchor_cameras(seen, true[[0, 4]], [0, 4], torch.linspace(0, 1, 5))
    assert (joined.c2w - true.c2w).abs().max() < 0.01
    assert (seen.c2w - true.c2w).abs().max() > 0.3


def test_one_keyframe_moves_all() -> None:
    true = cameras(4)
    gauge = se3_exp(torch.tensor([[0.3, 0.2, -0.4, 0.1, 0.2, 0.3]]))
    seen = PinholeCameras(gauge @ true.c2w, true.K, W, H)
    joined = anchor_cameras(seen, true[[2]], [2], torch.linspace(0, 1, 4))
    torch.testing.assert_close(joined.c2w, true.c2w, atol=1e-5, rtol=1e-5)
    assert torch.equal(interpolate_c2w(true.c2w[:1], torch.zeros(3)), true.c2w[:1].expand(3, 4, 4))
