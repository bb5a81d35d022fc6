"""Undistorted frames against a scene of which the distorted and the straight picture are both known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.tracking_frames import TrackingFrames
from neoverse_ns.clip.undistort import undistorted

FOCAL, WIDTH, HEIGHT = 0.7, 192, 108


def painted(slope_x: np.ndarray, slope_y: np.ndarray) -> np.ndarray:
    """A smooth pattern over the slopes of rays."""
    waves = [np.sin(9 * slope_x + 4 * slope_y), np.sin(7 * slope_y), np.cos(6 * slope_x)]
    return (127 + 100 * np.stack(waves, -1)).round().astype(np.uint8)


def seen_by(focal: float, radial: float) -> np.ndarray:
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    x, y = (x - WIDTH / 2) / (focal * WIDTH), (y - HEIGHT / 2) / (focal * WIDTH)
    bent = 1 + radial * (x * x + y * y)
    return painted(x * bent, y * bent)


def clip_of(image: np.ndarray) -> Clip:
    frames = torch.from_numpy(image)[None]
    return Clip(frames, torch.zeros(1, dtype=torch.int64), torch.zeros(1, dtype=torch.float64), Path("bent.mp4"))


@pytest.mark.parametrize("radial", [0.3, 0.05, -0.05])
def test_straightened_frames_are_those_of_a_pinhole(radial: float):
    straight, focal = undistorted(clip_of(seen_by(FOCAL, radial)), FOCAL, radial)
    expected = seen_by(focal, 0.0).astype(int)
    off = np.abs(straight.frames[0].numpy().astype(int) - expected)
    assert off.mean() < 0.6
    assert np.percentile(off, 99) <= 3


@pytest.mark.parametrize("radial", [0.3, -0.05])
def test_as_much_is_seen_as_can_be_without_looking_beyond_the_border(radial: float):
    _, focal = undistorted(clip_of(seen_by(FOCAL, radial)), FOCAL, radial)
    # The middles of the sides decide with a barrel, the corners with a pincushion.
    sides = np.array([[0.5, 0.0], [0.0, 0.5 * HEIGHT / WIDTH], [0.5, 0.5 * HEIGHT / WIDTH]]) / FOCAL
    slopes = sides * (1 + radial * (sides**2).sum(1, keepdims=True))
    if radial > 0:
        assert focal == pytest.approx(max(0.5 / slopes[0, 0], 0.5 * HEIGHT / WIDTH / slopes[1, 1]), rel=1e-6)
    else:
        assert focal == pytest.approx(max(0.5 / slopes[2, 0], 0.5 * HEIGHT / WIDTH / slopes[2, 1]), rel=2e-2)


def test_ignored_pixels_follow():
    ignored = torch.zeros(1, HEIGHT, WIDTH, dtype=torch.bool)
    ignored[:, :, : WIDTH // 2] = True
    straight, _ = undistorted(replace(clip_of(seen_by(FOCAL, 0.3)), ignored=ignored), FOCAL, 0.3)
    assert straight.ignored is not None
    assert torch.equal(straight.ignored, ignored)


def test_tracking_frames_are_straightened_like_the_sampled_ones():
    bent = seen_by(FOCAL, 0.3)
    grey = torch.from_numpy(cv2.cvtColor(bent, cv2.COLOR_RGB2GRAY))[None].repeat(2, 1, 1)
    tracking = TrackingFrames(grey, torch.tensor([0.1, 0.2], dtype=torch.float64), torch.tensor([3, 6]))
    straight, _ = undistorted(replace(clip_of(bent), tracking=tracking), FOCAL, 0.3)
    assert straight.tracking is not None
    assert straight.tracking.frame_indices.tolist() == [3, 6]
    expected = cv2.cvtColor(straight.frames[0].numpy(), cv2.COLOR_RGB2GRAY).astype(int)
    for picture in straight.tracking.grey.numpy():
        assert np.abs(picture - expected).max() <= 2
    # The straight picture is another one.
    assert np.abs(grey[0].numpy() - expected).max() > 20
