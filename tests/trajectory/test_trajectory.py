"""Trajectories at other sizes, lengths and zooms."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import project
from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.trajectory.trajectory import Trajectory, between, cameras_between, frames_at

WIDTH, HEIGHT = 48, 32


def example(count: int = 4) -> Trajectory:
    steps = torch.arange(count, dtype=torch.float64)[:, None]
    c2w = se3_exp(steps * torch.tensor([0.1, -0.02, 0.05, 0.01, 0.03, -0.01], dtype=torch.float64))
    K = torch.tensor([[40.0, 0.0, 23.0], [0.0, 42.0, 17.5], [0.0, 0.0, 1.0]], dtype=torch.float64).repeat(count, 1, 1)
    K[:, 0, 0] += torch.arange(count)
    return Trajectory(PinholeCameras(c2w, K, WIDTH, HEIGHT), torch.linspace(0, 1, count), True, 24.0)


def pixel(trajectory: Trajectory, point: torch.Tensor) -> torch.Tensor:
    """Where frame 2 sees a point, as shares of half the picture from its middle."""
    size = torch.tensor([trajectory.cameras.width, trajectory.cameras.height], dtype=torch.float64)
    uv, _ = project(point[None], torch.linalg.inv(trajectory.c2w[2]), trajectory.K[2])
    return 2 * uv[0] / size - 1


def test_another_size_of_the_same_shape_shows_the_same() -> None:
    point = torch.tensor([0.4, 0.1, 2.0], dtype=torch.float64)
    there = example().resized(3 * WIDTH, 3 * HEIGHT)
    assert (there.cameras.width, there.cameras.height) == (144, 96)
    torch.testing.assert_close(pixel(there, point), pixel(example(), point))
    assert (there.first_frame, there.fps) == (True, 24.0)
    back = there.resized(WIDTH, HEIGHT)
    torch.testing.assert_close(back.K, example().K)


def test_another_shape_keeps_the_angle_of_view_that_is_asked_for() -> None:
    point = torch.tensor([0.4, 0.1, 2.0], dtype=torch.float64)
    before = pixel(example(), point)
    tall = example().resized(WIDTH, 2 * HEIGHT)
    torch.testing.assert_close(pixel(tall, point)[1], before[1])
    assert float(tall.K[0, 1, 1] / tall.K[0, 0, 0]) == pytest.approx(42 / 40)
    wide = example().resized(WIDTH, 2 * HEIGHT, keep="horizontal")
    torch.testing.assert_close(pixel(wide, point)[0], before[0])
    assert (example().resized(WIDTH, 2 * HEIGHT, keep="all").K == wide.K).all()
    assert (example().resized(2 * WIDTH, HEIGHT, keep="all").K == example().resized(2 * WIDTH, HEIGHT).K).all()
    # What was in the middle of the picture stays there, whatever comes in beside it.
    aside = pixel(example().resized(2 * WIDTH, HEIGHT), point)
    torch.testing.assert_close(2 * aside[0], before[0])


def test_zoom_changes_focal_lengths_alone() -> None:
    zoomed = example().zoomed(torch.tensor([1.0, 1.5, 2.0, 3.0]))
    assert zoomed.K[:, 0, 0].tolist() == [40.0, 61.5, 84.0, 129.0]
    assert zoomed.K[:, 1, 1].tolist() == [42.0, 63.0, 84.0, 126.0]
    assert torch.equal(zoomed.K[:, :2, 2], example().K[:, :2, 2])


def test_between_frames_everything_changes_evenly() -> None:
    path = example()
    half = path.at(torch.tensor([-1.0, 0.5, 2.25, 9.0]))
    assert half.times.tolist() == pytest.approx([0.0, 1 / 6, 0.75, 1.0])
    assert half.K[:, 0, 0].tolist() == pytest.approx([40.0, 40.5, 42.25, 43.0])
    torch.testing.assert_close(half.c2w[[0, 3]], path.c2w[[0, 3]])
    lone = cameras_between(path.cameras[:1], torch.tensor([0.0, 3.0]))
    torch.testing.assert_close(lone.c2w, path.c2w[:1].expand(2, 4, 4))
    # Frames that share their intrinsics share them in between to the last bit.
    assert (between(path.K[[1, 1]], torch.rand(50)) == path.K[1]).all()


def test_positions_of_moments_undo_the_times_of_positions() -> None:
    times = torch.tensor([0.0, 0.1, 0.4, 1.0], dtype=torch.float64)
    at = torch.tensor([0.0, 0.3, 1.0, 1.75, 2.5, 3.0], dtype=torch.float64)
    torch.testing.assert_close(frames_at(times, between(times, at)), at)
    assert frames_at(times, torch.tensor([-1.0, 2.0])).tolist() == [0.0, 3.0]
    assert frames_at(times[:1], torch.tensor([0.5])).tolist() == [0.0]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(SettingsError, match="as many times"):
        Trajectory(example().cameras, torch.zeros(3))
    with pytest.raises(SettingsError, match="0x5"):
        example().resized(0, 5)
