"""Cameras between cameras."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation, Slerp

from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.interpolation import camera_at, interpolate_c2w
from neoverse_ns.geometry.se3 import se3_exp


def cameras(count: int = 5) -> torch.Tensor:
    torch.manual_seed(0)
    return se3_exp(torch.randn(count, 6, dtype=torch.float64))


def test_matches_scipy_slerp_and_linear_positions():
    c2w = cameras()
    at = torch.tensor([0.0, 0.25, 1.0, 1.9, 3.3, 4.0], dtype=torch.float64)
    ours = interpolate_c2w(c2w, at)
    reference = Slerp(np.arange(5), Rotation.from_matrix(c2w[:, :3, :3].numpy()))(at.numpy())
    np.testing.assert_allclose(ours[:, :3, :3].numpy(), reference.as_matrix(), atol=1e-12)
    for axis in range(3):
        expected = np.interp(at.numpy(), np.arange(5), c2w[:, axis, 3].numpy())
        np.testing.assert_allclose(ours[:, axis, 3].numpy(), expected, atol=1e-12)


def test_outside_positions_and_single_cameras_hold_still():
    c2w = cameras()
    torch.testing.assert_close(interpolate_c2w(c2w, torch.tensor([-1.0, 9.0])), c2w[[0, -1]])
    torch.testing.assert_close(interpolate_c2w(c2w[:1], torch.tensor([0.0, 0.7])), c2w[[0, 0]])


def test_a_camera_at_a_time_lies_between_its_neighbours():
    K = torch.eye(3, dtype=torch.float64).repeat(5, 1, 1)
    K[:, 0, 0] = torch.tensor([50.0, 60.0, 70.0, 80.0, 90.0])
    track = PinholeCameras(cameras(), K, 64, 48)
    times = torch.tensor([0.0, 0.1, 0.4, 0.8, 1.0], dtype=torch.float64)
    between = camera_at(track, times, 0.25)
    torch.testing.assert_close(between.c2w, interpolate_c2w(track.c2w, torch.tensor([1.5])))
    assert (len(between), between.width, between.height) == (1, 64, 48)
    assert between.K[0, 0, 0] == pytest.approx(65)
    for place, time in ((0, -1.0), (0, 0.0), (2, 0.4), (4, 1.0), (4, 2.0)):
        torch.testing.assert_close(camera_at(track, times, time).c2w, track.c2w[[place]])
    torch.testing.assert_close(camera_at(track[:1], times[:1], 0.7).c2w, track.c2w[:1])
