"""Validation's figures: perfect predictions, known errors, and what is missing."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from neoverse_ns.geometry.se3 import so3_exp
from neoverse_ns.training.reconstructor.validation.measures import camera_figures, mean_figures, measure, motion_figures
from neoverse_ns.training.reconstructor.validation.moving import moving_between
from neoverse_ns.training.reconstructor.validation.pictures import contact_sheet
from tests.training.reconstructor.samples import SPEED, plane_sample, true_predictions


def test_a_perfect_network_has_no_error():
    sample = plane_sample()
    figures = measure(sample, sample.rgb, torch.full_like(sample.depth, 0.75), true_predictions(sample))
    assert figures["psnr"] == figures["psnr_moving"] == math.inf
    assert figures["ssim"] == pytest.approx(1)
    assert figures["depth_abs_rel"] == pytest.approx(0, abs=1e-6)
    assert figures["depth_delta"] == 1
    assert figures["pose_auc"] == pytest.approx(1, abs=1e-4)
    assert figures["rotation_degrees"] == pytest.approx(0, abs=1e-4)
    assert figures["epe_moving"] == figures["epe_still"] == 0
    assert figures["epe_moving_zero"] == pytest.approx(float(SPEED.norm()), rel=1e-5)
    assert figures["alpha"] == pytest.approx(0.75)
    assert math.isnan(figures["lpips"])
    assert 5 < figures["psnr_nearest"] < 40


def test_errors_are_what_was_put_in():
    sample = plane_sample(keyframes=3)
    predictions = true_predictions(sample)
    # The middle camera is turned by 3 degrees; of the three pairs two see it.
    turn = so3_exp(torch.tensor([0.0, math.radians(3), 0.0]))
    predictions.c2w[0, 1, :3, :3] = turn
    figures = camera_figures(sample, predictions)
    assert figures["rotation_degrees"] == pytest.approx(2, abs=1e-3)
    # Only where the turned camera is the first does the direction turn with it, by as much.
    assert figures["pose_auc"] == pytest.approx(1 - 2 / 30, abs=1e-3)
    assert predictions.velocity_fwd is not None
    predictions.velocity_fwd += torch.tensor([0.0, 0.0, 0.03])
    motion = motion_figures(sample, predictions)
    assert motion["epe_still"] == pytest.approx(0.015, abs=1e-3)
    assert motion["epe_moving"] == pytest.approx(0.015, abs=2e-3)
    dark = measure(sample, sample.rgb * 0 + 0.5, sample.depth, predictions)
    expected = -10 * math.log10(float((sample.rgb[3:] - 0.5).square().mean(dim=(1, 2, 3)).double()[0]))
    assert dark["psnr"] == pytest.approx(expected, abs=1)


def test_a_camera_that_goes_the_other_way_is_all_wrong():
    sample = plane_sample()
    predictions = true_predictions(sample)
    predictions.c2w[..., 0, 3] *= -1
    assert camera_figures(sample, predictions)["pose_auc"] == 0
    # But one that stands still in truth has no direction to miss.
    still = replace(sample, c2w=torch.eye(4).expand_as(sample.c2w))
    assert camera_figures(still, predictions)["pose_auc"] == pytest.approx(1, abs=1e-4)


def test_what_a_clip_does_not_know_is_left_out_of_the_mean():
    sample = plane_sample()
    without = replace(
        sample, has_depth=torch.tensor(False), has_pose=torch.tensor(False), has_motion=torch.tensor(False)
    )
    predictions = true_predictions(sample)
    figures = [measure(s, sample.rgb * 0.9, sample.depth, predictions) for s in (sample, without)]
    missing = {name for name, value in figures[1].items() if math.isnan(value)}
    assert missing > {"depth_abs_rel", "depth_delta", "pose_auc", "rotation_degrees", "epe_moving", "psnr_moving"}
    assert not missing & {"psnr", "ssim", "alpha"}
    mean = mean_figures(figures)
    assert mean["pose_auc"] == figures[0]["pose_auc"]
    assert mean["psnr"] == pytest.approx(figures[0]["psnr"])


def test_what_moves_is_found_between_keyframes():
    sample = plane_sample()
    found = moving_between(sample)
    # Where the square was drawn: the same for a still square drawn apart.
    for gap in range(2):
        truth = sample.rgb[3 + gap]
        background = plane_sample_background(sample, 3 + gap)
        square = (truth - background).abs().amax(0) > 0.02
        overlap = float((found[gap] & square).sum()) / float((found[gap] | square).sum())
        assert overlap > 0.75
    assert not moving_between(plane_sample(static=True)).any()


def plane_sample_background(sample, frame):
    """The wall behind the square, as another sample of the same textures has it that moved elsewhere."""
    from tests.training.reconstructor.samples import _texture, pixel_centres

    waves = torch.rand(2, 3, 4, generator=torch.Generator().manual_seed(0))
    height, width = sample.rgb.shape[-2:]
    K = sample.K[frame]
    points = (pixel_centres(height, width) - K[:2, 2]) / K[0, 0] + sample.c2w[frame, :2, 3]
    return _texture(points, waves[1])


def test_the_picture_shows_every_row():
    sample = plane_sample()
    sheet = contact_sheet(sample, sample.rgb, sample.depth, sample.depth * 0.5, true_predictions(sample))
    assert sheet.shape == (3, 10 * 30, 5 * 44)
    assert 0 <= sheet.min() <= sheet.max() <= 1
    # Frames stand in order of time: the first intermediate, frame 3 of the sample, is second.
    torch.testing.assert_close(sheet[:, 30:58, 44:86], sample.rgb[3])
    # It was not put into the network.
    assert torch.all(sheet[:, 0:28, 44:86] == 0.25)
    assert torch.all(sheet[:, 270:298, 0:42] == 0.5)
