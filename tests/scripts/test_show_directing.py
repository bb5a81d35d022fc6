"""Pictures of how camera and time are directed: every cell is there, and shows what stands above it."""

from __future__ import annotations

import numpy as np
import torch
from show_directing import GAP, LABEL, MOVES, moves_picture, plotted, time_picture  # pyright: ignore

from neoverse_ns.export.scene import ExportScene
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.trajectory.trajectory import Trajectory
from tests.reconstruct.small_scene import small_scene

WIDTH, HEIGHT = 32, 16


def shown() -> ExportScene:
    scene = small_scene(width=WIDTH, height=HEIGHT)
    assert scene.gaussians is not None
    clip = scene.clip
    return ExportScene(scene.gaussians, scene.geometry.cameras, clip.times, clip.seconds, source=scene)


def cell(page: np.ndarray, row: int, column: int, left: int = 0) -> np.ndarray:
    """The picture of one cell, without its label."""
    top, x = row * (HEIGHT + LABEL + GAP) + LABEL, left + column * (WIDTH + GAP)
    return page[top : top + HEIGHT, x : x + WIDTH].astype(np.float32)


def test_moves_end_elsewhere_than_the_clip_s_camera() -> None:
    page = moves_picture(shown(), WIDTH)
    rows = len(MOVES) // 3
    assert page.shape == (rows * (HEIGHT + LABEL + GAP) - GAP, 3 * (WIDTH + GAP) - GAP, 3)
    own = cell(page, 0, 0)
    others = [cell(page, i // 3, i % 3) for i in range(1, len(MOVES))]
    assert all(np.abs(other - own).mean() > 2 for other in others)


def test_a_row_of_time_shows_its_curve() -> None:
    page = time_picture(shown(), WIDTH)
    left = WIDTH + GAP
    filmed, frozen, backward = ([cell(page, row, column, left) for column in range(5)] for row in range(3))
    # The orbit swings by as much in every row; half way all rows show the same moment.
    assert np.abs(filmed[2] - backward[2]).mean() < 2
    assert np.abs(filmed[2] - frozen[2]).mean() < 2
    assert np.abs(filmed[0] - frozen[0]).mean() > 2
    assert np.abs(filmed[0] - backward[0]).mean() > 2


def test_a_curve_rises_where_time_runs_on() -> None:
    cameras = PinholeCameras(torch.eye(4).repeat(9, 1, 1), torch.eye(3).repeat(9, 1, 1), WIDTH, HEIGHT)
    plot = plotted(Trajectory(cameras, torch.linspace(0, 1, 9)), 1.0, 100, 150).astype(int)
    red = (plot[..., 0] > 150) & (plot[..., 1] < 100)
    height = [float(np.nonzero(red[:, x])[0].mean()) for x in range(20, 130)]
    assert np.all(np.diff(height) <= 0)
    assert height[0] > 75 > 25 > height[-1]
