"""Depth and video metrics on small arrays worked out by hand."""

import math

import pytest
import torch

from neoverse_ns.metrics.depth import depth_error
from neoverse_ns.metrics.video import change_error, frame_change, warping_error


def test_unaligned_errors_by_hand():
    truth, estimate = torch.tensor([[1.0, 2.0], [4.0, 5.0]]), torch.tensor([[1.0, 2.4], [6.0, 4.0]])
    error = depth_error(estimate, truth, alignment="none")
    assert error.abs_rel == pytest.approx((0 + 0.2 + 0.5 + 0.2) / 4)
    assert error.rmse == pytest.approx(math.sqrt((0.16 + 4 + 1) / 4))
    # 5 / 4 is exactly 1.25, which is not below it.
    assert error.delta_125 == 0.5
    assert error.pixels == 4


@pytest.mark.parametrize("alignment", ["median_scale", "median_ratio", "least_squares_scale"])
def test_scale_is_recovered(alignment):
    truth = torch.rand(3, 8, 9) + 1
    error = depth_error(truth / 7, truth, alignment=alignment)
    assert error.scale == pytest.approx(7, rel=1e-6)
    assert error.abs_rel == pytest.approx(0, abs=1e-6)
    assert error.alignment == alignment


def test_the_two_scales_differ_with_outliers():
    truth = torch.ones(1, 5)
    estimate = torch.tensor([[1.0, 1.0, 1.0, 1.0, 9.0]])
    assert depth_error(estimate, truth, alignment="median_scale").scale == 1
    assert depth_error(estimate, truth, alignment="least_squares_scale").scale == pytest.approx(13 / 85)


def test_the_median_of_the_ratios_does_not_jump_between_two_depths():
    truth = torch.tensor([[1.0, 1.0, 5.0, 5.0, 5.0]])
    estimate = torch.tensor([[1.0, 1.0, 1.0, 5.0, 5.0]])  # One pixel of five took the other surface's depth.
    assert depth_error(estimate, truth, alignment="median_scale").scale == 5
    assert depth_error(estimate, truth, alignment="median_ratio").scale == 1


def test_only_valid_pixels_count():
    truth = torch.tensor([[2.0, 0.0, math.nan, math.inf, 3.0]])
    estimate = torch.tensor([[2.0, 5.0, 5.0, 5.0, 99.0]])
    valid = torch.tensor([[True, True, True, True, False]])
    error = depth_error(estimate, truth, valid, alignment="none")
    assert (error.pixels, error.abs_rel) == (1, 0)


def test_undefined_errors_say_why():
    ones = torch.ones(2, 2)
    nothing = depth_error(ones, torch.zeros(2, 2))
    broken = depth_error(ones * math.nan, ones)
    negative = depth_error(-ones, ones)
    for error in (nothing, broken, negative):
        assert math.isnan(error.abs_rel)
        assert error.reason


def test_flicker_by_hand():
    levels = torch.tensor([0.0, 0.5, 0.25])
    frames = levels[:, None, None, None].expand(3, 2, 2, 3)
    assert frame_change(frames) == pytest.approx((0.5 + 0.25) / 2)
    assert math.isnan(frame_change(frames[:1]))


def test_change_error_ignores_what_the_true_video_does():
    torch.manual_seed(0)
    truth = torch.rand(4, 3, 3, 3)
    assert change_error(truth + 0.1, truth) == pytest.approx(0, abs=1e-6)
    blinking = truth + 0.1 * torch.tensor([0.0, 1, 0, 1])[:, None, None, None]
    assert change_error(blinking, truth) == pytest.approx(0.1, abs=1e-6)


def test_warping_error_ignores_what_moves_along_the_flow():
    torch.manual_seed(0)
    picture = torch.rand(6, 20, 3)
    frames = torch.stack([picture[:, 2 * i : 2 * i + 12] for i in range(4)])
    flow = torch.tensor([-2.0, 0.0]).expand(3, 6, 12, 2)
    everywhere = torch.ones(3, 6, 12, dtype=torch.bool)
    assert warping_error(frames, flow, everywhere) == pytest.approx(0, abs=1e-6)
    assert frame_change(frames) > 0.1
    blinking = frames + 0.1 * torch.tensor([0.0, 1, 0, 1])[:, None, None, None]
    assert warping_error(blinking, flow, everywhere) == pytest.approx(0.1, abs=1e-6)


def test_warping_error_counts_followed_pixels_alone():
    frames = torch.zeros(2, 4, 4, 3)
    frames[1, 0] = 1
    followed = torch.ones(1, 4, 4, dtype=torch.bool)
    still = torch.zeros(1, 4, 4, 2)
    assert warping_error(frames, still, followed) == pytest.approx(0.25)
    followed[:, 0] = False
    assert warping_error(frames, still, followed) == 0
    assert math.isnan(warping_error(frames, still, torch.zeros_like(followed)))
