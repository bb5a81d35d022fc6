"""Stabilisation measured: shakes that are known, told from cameras and from pixels alone."""

from __future__ import annotations

import math
from pathlib import Path

import benchmark_stabilize
import pytest
import torch
from _benchmark.picture_motion import picture_shake, wobble
from _benchmark.shaken import ShakenClip, shaken_clip
from _benchmark.steady_scores import aligned_cameras, second_differences, true_cameras
from show_stabilize import STRETCH, slice_of  # pyright: ignore

from neoverse_ns.applications.stabilize.jitter import SECONDS
from neoverse_ns.clip.synthetic.path import camera_path
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.reconstruct.store import save_scene
from neoverse_ns.trajectory.stabilise import stabilise
from tests.plugin.tiny_scene import tiny_scene

COUNT, RATE = 41, 10.0
F64 = torch.float64


@pytest.fixture(scope="module")
def clip() -> ShakenClip:
    return shaken_clip(2.0, num_frames=5, width=48, height=28)


def seconds() -> torch.Tensor:
    return torch.arange(COUNT, dtype=F64) / RATE


def moved(shifts: torch.Tensor) -> torch.Tensor:
    """A smooth pattern shifted to the right by so many pixels in each frame."""
    y, x = torch.meshgrid(torch.arange(96.0), torch.arange(128.0), indexing="ij")
    frames = []
    for shift in shifts.tolist():
        waves = [(0.31, 0.17), (0.11, -0.29), (-0.23, 0.07), (0.05, 0.41)]
        value = torch.stack([torch.sin(a * (x - shift) + b * y + 3 * a) for a, b in waves]).sum(dim=0) / 8 + 0.5
        frames.append((value.clamp(0, 1) * 255).round().to(torch.uint8)[..., None].expand(-1, -1, 3))
    return torch.stack(frames).contiguous()


def test_shake_is_told_from_pixels() -> None:
    sway = 1.5 * torch.sin(2 * math.pi * 1.5 * seconds())
    expected = 1.5 / math.sqrt(2) * (1 - math.exp(-2 * (math.pi * 1.5 * SECONDS) ** 2))
    assert picture_shake(moved(sway), seconds()) == pytest.approx(expected, rel=0.12)
    assert picture_shake(moved(0.8 * torch.arange(COUNT)), seconds()) < 0.1
    assert picture_shake(torch.zeros(COUNT, 32, 32, 3, dtype=torch.uint8), seconds()) == 0


def test_wobble_is_the_shake_against_the_truth() -> None:
    sway = 0.8 * torch.sin(2 * math.pi * 1.5 * seconds())
    walk = 0.5 * torch.arange(COUNT)
    everywhere = torch.ones(COUNT, 96, 128, dtype=torch.bool)
    expected = 0.8 / math.sqrt(2) * (1 - math.exp(-2 * (math.pi * 1.5 * SECONDS) ** 2))
    assert wobble(moved(walk + sway), moved(walk), everywhere, seconds()) == pytest.approx(expected, rel=0.15)
    # Being off by as much all the time is no wobble.
    assert wobble(moved(walk + 1), moved(walk), everywhere, seconds()) < 0.05
    assert math.isnan(wobble(moved(walk), moved(walk), ~everywhere, seconds()))


def test_a_walk_on_rails_does_not_shake(clip: ShakenClip) -> None:
    shaky = camera_path(25, 48, 28, torch.Generator().manual_seed(3))
    rails = camera_path(25, 48, 28, torch.Generator().manual_seed(3), shaking=0.0)
    assert second_differences(rails.c2w) < 0.3 * second_differences(shaky.c2w)
    assert torch.equal(clip.seen(clip.cameras), clip.frames)
    assert clip.moving(clip.cameras).any()
    assert (clip.cameras.c2w - clip.rails.c2w).abs().amax(dim=(1, 2)).min() > 0.01


def test_true_cameras_carry_the_errors_of_the_estimate(clip: ShakenClip) -> None:
    world = se3_exp(torch.tensor([0.3, 0.1, -0.2, 0.2, -0.4, 0.1], dtype=F64))
    estimate = world @ clip.cameras.c2w
    estimate[:, :3, 3] *= 0.2

    def cameras(c2w: torch.Tensor) -> PinholeCameras:
        return PinholeCameras(c2w, clip.cameras.K, 48, 28)

    steady = stabilise(estimate, 2.0)
    expected = stabilise(clip.cameras.c2w, 2.0)
    for place in (true_cameras, aligned_cameras):
        torch.testing.assert_close(place(cameras(estimate), cameras(steady), clip).c2w, expected, atol=1e-6, rtol=0)
    wrong = estimate.clone()
    wrong[2] = wrong[2] @ se3_exp(torch.tensor([0, 0, 0, 0, 0.02, 0], dtype=F64))
    off = (true_cameras(cameras(wrong), cameras(steady), clip).c2w - expected).abs().amax(dim=(1, 2))
    assert off[2] > 0.015
    assert off[[0, 1, 3, 4]].max() < 0.5 * off[2]


def test_the_report_has_a_row_for_a_run(tmp_path: Path) -> None:
    save_scene(tiny_scene(), tmp_path / "run")
    options = benchmark_stabilize.BenchmarkStabilize(strengths="", runs=(tmp_path / "run",))
    options.markdown = tmp_path / "table.md"
    assert benchmark_stabilize.run(options, tmp_path) == 0
    text = options.markdown.read_text()
    assert "| clip | " in text
    assert "| picture before px |" in text.replace("| left, px % ", "")


def test_a_slice_holds_the_middle_column_of_every_frame(clip: ShakenClip) -> None:
    through = torch.from_numpy(slice_of(clip.frames))
    assert through.shape == (28, 5 * STRETCH, 3)
    assert torch.equal(through[:, 2 * STRETCH], clip.frames[2, :, 24])
    assert torch.equal(through[:, 3 * STRETCH - 1], clip.frames[2, :, 24])
