"""Smoothing of camera paths: what it must keep and what it must remove."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter1d

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import assemble, se3_exp, so3_exp, so3_log
from neoverse_ns.trajectory.stabilise import stabilise, stabilise_cameras

F64 = torch.float64


def even_motion(count: int) -> torch.Tensor:
    """Straight and at constant speed, turning about a fixed axis at a constant rate."""
    s = torch.arange(count, dtype=F64)[:, None]
    start = so3_exp(torch.tensor([0.5, -1.0, 2.0], dtype=F64))
    R = start @ so3_exp(0.05 * s * torch.tensor([0.6, 0.0, 0.8], dtype=F64))
    return assemble(R, s * torch.tensor([0.1, 0.2, -0.3], dtype=F64) + 4)


@pytest.mark.parametrize("strength", [0.05, 0.3, 2.0, 50.0])
@pytest.mark.parametrize("count", [1, 2, 3, 25])
def test_even_motion_is_left_alone_up_to_its_ends(strength, count):
    c2w = even_motion(count)
    torch.testing.assert_close(stabilise(c2w, strength), c2w, atol=1e-9, rtol=0)


def test_positions_are_gaussian_smoothed_inside():
    torch.manual_seed(0)
    c2w = se3_exp(0.1 * torch.randn(60, 6, dtype=F64))
    ours = stabilise(c2w, 2.0)[12:-12, :3, 3]
    reference = gaussian_filter1d(c2w[:, :3, 3].numpy(), 2.0, axis=0, truncate=3.0)[12:-12]
    np.testing.assert_allclose(ours.numpy(), reference, atol=1e-12)


def test_rotations_about_one_axis_smooth_like_their_angles():
    torch.manual_seed(1)
    angles = torch.randn(60, dtype=F64) * 0.3
    axis = torch.tensor([0.48, -0.6, 0.64], dtype=F64)
    c2w = assemble(so3_exp(angles[:, None] * axis), torch.zeros(60, 3, dtype=F64))
    ours = so3_log(stabilise(c2w, 1.5)[:, :3, :3]) @ axis
    reference = gaussian_filter1d(angles.numpy(), 1.5, truncate=10 / 3)
    np.testing.assert_allclose(ours.numpy()[12:-12], reference[12:-12], atol=1e-9)


def test_shake_is_reduced_and_rotations_stay_rotations():
    torch.manual_seed(2)
    calm = even_motion(40)
    shaky = calm @ se3_exp(0.02 * torch.randn(40, 6, dtype=F64))
    smooth = stabilise(shaky, 3.0)
    before = so3_log(calm[:, :3, :3].mT @ shaky[:, :3, :3]).norm(dim=-1).mean()
    after = so3_log(calm[:, :3, :3].mT @ smooth[:, :3, :3]).norm(dim=-1).mean()
    assert after < 0.6 * before
    torch.testing.assert_close(smooth[:, :3, :3] @ smooth[:, :3, :3].mT, torch.eye(3, dtype=F64).expand(40, 3, 3))


def test_moving_the_world_moves_the_result():
    torch.manual_seed(3)
    c2w, world = se3_exp(0.2 * torch.randn(20, 6, dtype=F64)), se3_exp(torch.randn(6, dtype=F64))
    torch.testing.assert_close(stabilise(world @ c2w, 2.0), world @ stabilise(c2w, 2.0), atol=1e-9, rtol=0)


def test_strength_must_be_a_number_from_zero_up():
    c2w = even_motion(5)
    torch.testing.assert_close(stabilise(c2w, 0.0), c2w)
    assert stabilise(c2w.float(), 1.0).dtype == torch.float32
    for strength in (-1.0, math.nan, math.inf):
        with pytest.raises(SettingsError, match="strength"):
            stabilise(c2w, strength)


def test_frames_count_by_when_they_were_taken():
    torch.manual_seed(4)
    c2w = se3_exp(0.1 * torch.randn(30, 6, dtype=F64))
    seconds = torch.arange(30, dtype=F64) / 8
    torch.testing.assert_close(stabilise(c2w, 0.25, seconds), stabilise(c2w, 2.0), atol=1e-12, rtol=0)
    # An even motion stays even however unevenly it was sampled.
    uneven = torch.tensor([0.0, 1.0, 1.3, 4.0, 4.1, 4.2, 9.0, 30.0, 31.0], dtype=F64)
    smooth = stabilise(even_motion(32)[uneven.round().long()], 2.0, uneven.round())
    torch.testing.assert_close(smooth, even_motion(32)[uneven.round().long()], atol=1e-9, rtol=0)


def test_a_frame_without_neighbours_in_reach_stays():
    torch.manual_seed(5)
    c2w = se3_exp(0.1 * torch.randn(5, 6, dtype=F64))
    smooth = stabilise(c2w, 0.1, torch.tensor([0.0, 0.1, 0.2, 0.3, 900.0], dtype=F64))
    torch.testing.assert_close(smooth[4], c2w[4])
    assert smooth.isfinite().all()
    assert (smooth[1] - c2w[1]).abs().max() > 1e-3


def test_an_even_zoom_is_kept_and_its_wobble_taken_away():
    count = 41
    even = 300 * 1.02 ** torch.arange(count, dtype=F64)
    wobble = even * (1 + 0.01 * (-1.0) ** torch.arange(count, dtype=F64))

    def cameras(focal: torch.Tensor) -> PinholeCameras:
        K = torch.eye(3, dtype=F64).repeat(count, 1, 1)
        K[:, 0, 0], K[:, 1, 1], K[:, 0, 2], K[:, 1, 2] = focal, 1.1 * focal, 192.0, 108.0
        return PinholeCameras(even_motion(count), K, 384, 216)

    torch.testing.assert_close(stabilise_cameras(cameras(even), 3.0).K, cameras(even).K, atol=1e-9, rtol=0)
    left = stabilise_cameras(cameras(wobble), 3.0).K[:, 0, 0] / even - 1
    assert left[3:-3].abs().max() < 1e-3
    assert left.abs().max() < 0.4 * 0.01
    assert torch.equal(stabilise_cameras(cameras(wobble), 0.0).K, cameras(wobble).K)
