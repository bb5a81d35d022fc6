"""Depth and video metrics on small arrays worked out by hand."""

import math

import pytest
import torch

from neoverse_ns.metrics.depth import depth_error
from neoverse_ns.metrics.video import change_error, frame_change, temporal_flicker_raw


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
    assert temporal_flicker_raw(frames) == pytest.approx(1 - 0.375)
    assert math.isnan(frame_change(frames[:1]))


def test_change_error_ignores_what_the_true_video_does():
    torch.manual_seed(0)
    truth = torch.rand(4, 3, 3, 3)
    assert change_error(truth + 0.1, truth) == pytest.approx(0, abs=1e-6)
    blinking = truth + 0.1 * torch.tensor([0.0, 1, 0, 1])[:, None, None, None]
    assert change_error(blinking, truth) == pytest.approx(0.1, abs=1e-6)
