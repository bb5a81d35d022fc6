"""Baselines of the benchmark on motions whose answer is known."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.evaluation.methods.baselines import score, score_baselines
from neoverse_ns.evaluation.methods.flow_interpolation import interpolate_along_flow
from neoverse_ns.reconstruct.split import FrameSplit


def panorama(width: int = 400, height: int = 96) -> np.ndarray:
    noise = np.random.default_rng(0).uniform(0, 255, (height, width, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 4)
    return ((smooth - smooth.min()) / np.ptp(smooth) * 255).astype(np.uint8)


def window(left: int, width: int = 160) -> torch.Tensor:
    """What a camera sees that looks at the panorama from `left` on."""
    return torch.from_numpy(panorama()[:, left : left + width].copy())


@pytest.mark.parametrize(("moved", "share"), [(4, 0.5), (5, 0.8)])
def test_flow_interpolation_finds_the_frame_between(moved: int, share: float) -> None:
    before, after, truth = window(100), window(100 + moved), window(100 + round(moved * share))
    between = torch.from_numpy(interpolate_along_flow(before.numpy(), after.numpy(), share))
    error = (between.float() - truth).abs()[:, 12:-12]
    nearer = (after.float() - truth).abs()[:, 12:-12]
    assert error.mean() < 2
    assert error.mean() < 0.2 * nearer.mean()


def test_flow_interpolation_of_equal_frames_changes_nothing() -> None:
    frame = window(50).numpy()
    assert np.abs(interpolate_along_flow(frame, frame, 0.5).astype(int) - frame).max() <= 1


def test_score_against_closed_form() -> None:
    flat = torch.full((32, 32, 3), 100, dtype=torch.uint8)
    result = score([(flat, flat + 5), (flat, flat + 10)])
    expected = [20 * np.log10(255 / 5), 20 * np.log10(255 / 10)]
    assert result["psnr_each"] == pytest.approx(expected, abs=1e-4)
    assert result["psnr"] == pytest.approx(np.mean(expected), abs=1e-4)


def test_baselines_use_the_frames_around_each_held_out_one() -> None:
    lefts = [100, 102, 104, 106, 108]
    frames = torch.stack([window(left) for left in lefts])
    clip = Clip(frames, torch.arange(5), torch.arange(5).double(), Path("panorama"))
    result = score_baselines(clip, FrameSplit(train=[0, 1, 3, 4], held_out=[2], keyframes=[0, 4]))
    assert result["repeat_previous"] == score([(frames[1], frames[2])])
    assert result["flow_interpolation"]["psnr"] > result["repeat_previous"]["psnr"] + 5


def test_a_time_off_the_middle_is_respected() -> None:
    frames = torch.stack([window(left) for left in (100, 101, 104)])
    clip = Clip(frames, torch.arange(3), torch.tensor([0.0, 0.25, 1.0], dtype=torch.float64), Path("panorama"))
    split = FrameSplit(train=[0, 2], held_out=[1], keyframes=[0, 2])
    right_time = score_baselines(clip, split)["flow_interpolation"]["psnr"]
    middle = Clip(frames, torch.arange(3), torch.arange(3).double(), Path("panorama"))
    assert right_time > score_baselines(middle, split)["flow_interpolation"]["psnr"] + 2
