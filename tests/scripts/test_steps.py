"""Jumps of an estimate, repeats in a truth, and the memory of a measurement."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from neoverse_ns.evaluation.results.memory import PeakMemory
from neoverse_ns.geometry.se3 import assemble, so3_exp
from neoverse_ns.metrics.steps import distinct_poses, largest_steps


def path(places: list[float], degrees: list[float]) -> torch.Tensor:
    """Cameras on a line that turn about their vertical axis."""
    angle = torch.tensor(degrees, dtype=torch.float64).deg2rad()
    zero = torch.zeros_like(angle)
    R = so3_exp(torch.stack([zero, angle, zero], dim=1))
    return assemble(R, torch.tensor([[x, 0.0, 2.0] for x in places], dtype=torch.float64))


def test_a_jump_and_a_swing_stand_out() -> None:
    result = largest_steps(path([0, 1, 2, 5, 6], [0, 2, -3, -1, 1]))
    assert result["step"] == pytest.approx(3)
    assert result["step_over_median"] == pytest.approx(3)
    assert result["turn_degrees"] == pytest.approx(5)
    assert result["turn_over_median"] == pytest.approx(2.5)


def test_a_camera_that_stands_still_has_no_ratio() -> None:
    result = largest_steps(path([1, 1, 1, 1.5], [4, 4, 4, 4]))
    assert result["step"] == pytest.approx(0.5)
    assert math.isnan(result["step_over_median"])
    assert math.isnan(largest_steps(path([1], [4]))["step"])


def test_of_equal_poses_the_last_is_kept() -> None:
    c2w = path([0, 0, 0, 1, 1, 2, 1], [5, 5, 5, 5, 5, 5, 5])
    assert distinct_poses(c2w).tolist() == [False, False, True, False, True, True, True]
    # Turning in place is no repeat, and a difference that round-off explains is one.
    assert distinct_poses(path([0, 0], [5, 5.01])).tolist() == [True, True]
    noisy = c2w.clone()
    noisy[1, 0, 0] += 1e-15
    assert distinct_poses(noisy).equal(distinct_poses(c2w))


def test_peak_memory_is_of_the_block_alone() -> None:
    with PeakMemory() as empty:
        pass
    if empty.peak_gb is None:
        pytest.skip("the system does not tell")
    with PeakMemory() as full:
        np.ones(50_000_000)
    with PeakMemory() as after:
        pass
    assert full.peak_gb is not None
    assert after.peak_gb is not None
    assert full.peak_gb > empty.peak_gb + 0.3
    assert after.peak_gb < full.peak_gb - 0.3
