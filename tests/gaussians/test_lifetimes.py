"""Selection by runs of rows against a scan of all rows."""

from __future__ import annotations

import gc

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neoverse_ns.gaussians import lifetimes
from neoverse_ns.gaussians.lifetimes import find_runs, lifetime_runs
from neoverse_ns.gaussians.transition import alive_at, at_time
from tests.gaussians.scenes import random_gaussians


def scan(interval: torch.Tensor, dynamic: torch.Tensor, time: float) -> list[int]:
    return [
        row
        for row, ((before, _, after), moving) in enumerate(zip(interval.tolist(), dynamic.tolist(), strict=True))
        if not moving or before < time < after
    ]


@settings(max_examples=60, deadline=None)
@given(
    keyframes=st.lists(st.integers(0, 4), max_size=40),
    constant=st.lists(st.booleans(), min_size=40, max_size=40),
    time=st.floats(-0.5, 1.5, width=32),
)
def test_rows_alive_are_those_of_a_scan_in_any_order(keyframes: list[int], constant: list[bool], time: float) -> None:
    at = torch.tensor(keyframes, dtype=torch.float32) / 4
    interval = torch.stack([at - 0.25, at, at + 0.25], dim=-1)
    gaussians = random_gaussians(len(keyframes)).with_(interval=interval)
    gaussians = gaussians.with_(dynamic=~torch.tensor(constant[: len(keyframes)], dtype=torch.bool))
    expected = scan(gaussians.interval, gaussians.dynamic, time)
    assert at_time(gaussians, time).index.tolist() == expected
    assert alive_at(gaussians, time).nonzero().squeeze(-1).tolist() == expected


def test_rows_in_order_make_one_run_for_each_lifetime() -> None:
    gaussians = random_gaussians(60)
    order = (gaussians.keyframe * 2 + gaussians.dynamic).argsort()
    runs = find_runs(gaussians.interval[order], gaussians.dynamic[order])
    assert len(runs.dynamic) == 6
    assert runs.bounds.tolist()[::6] == [0, 60]
    assert runs.rows(runs.dynamic).tolist() == gaussians.dynamic[order].nonzero().squeeze(-1).tolist()


def test_runs_are_remembered_until_a_tensor_is_written_to_or_replaced() -> None:
    gaussians = random_gaussians(30)
    first = lifetime_runs(gaussians.interval, gaussians.dynamic)
    assert lifetime_runs(gaussians.interval, gaussians.dynamic) is first
    gaussians.dynamic[3] = ~gaussians.dynamic[3]
    assert at_time(gaussians, 0.1).index.tolist() == scan(gaussians.interval, gaussians.dynamic, 0.1)
    gaussians.interval[5] += 0.4
    assert at_time(gaussians, 0.1).index.tolist() == scan(gaussians.interval, gaussians.dynamic, 0.1)
    gaussians.interval.data = gaussians.interval.flip(0)
    assert at_time(gaussians, 0.1).index.tolist() == scan(gaussians.interval, gaussians.dynamic, 0.1)
    other = gaussians.with_(dynamic=torch.zeros_like(gaussians.dynamic))
    assert len(at_time(other, 0.1).index) == 30
    assert at_time(gaussians, 0.1).index.tolist() == scan(gaussians.interval, gaussians.dynamic, 0.1)


def test_what_is_remembered_does_not_outlive_the_gaussians() -> None:
    gc.collect()
    before = len(lifetimes._known)
    gaussians = random_gaussians(30)
    lifetime_runs(gaussians.interval, gaussians.dynamic)
    assert len(lifetimes._known) == before + 1
    del gaussians
    gc.collect()
    assert len(lifetimes._known) == before


def test_inference_tensors_are_selected_from_too() -> None:
    with torch.inference_mode():
        gaussians = random_gaussians(30)
        assert at_time(gaussians, 0.1).index.tolist() == scan(gaussians.interval, gaussians.dynamic, 0.1)


@pytest.mark.parametrize("nearest_only", [False, True])
def test_life_at_several_times_is_that_at_one_after_the_other(nearest_only: bool) -> None:
    gaussians = random_gaussians(50)
    times = torch.tensor([0.9, 0.0, 0.25, 0.26])
    for time in times:
        alone = at_time(gaussians, float(time), nearest_only)
        as_tensor = at_time(gaussians, time, nearest_only)
        assert torch.equal(as_tensor.means, alone.means)
    alive = alive_at(gaussians, times, nearest_only)
    assert alive.shape == (4, 50)
    for row, time in zip(alive, times, strict=True):
        assert torch.equal(row, alive_at(gaussians, float(time), nearest_only))
    assert alive_at(gaussians, torch.zeros(0), nearest_only).shape == (0, 50)


def test_gradient_with_respect_to_time_is_the_velocity() -> None:
    gaussians = random_gaussians(30, dtype=torch.float64)
    time = torch.tensor(0.6, dtype=torch.float64, requires_grad=True)
    now = at_time(gaussians, time)
    moving = gaussians.dynamic[now.index]
    row = int(moving.nonzero()[0])
    (slope,) = torch.autograd.grad(now.means[row, 0], time)
    _, at, _ = gaussians.interval[now.index[row]]
    # Displacements cover a gap of 0.5; before its keyframe a Gaussian moves against its backward displacement.
    expected = gaussians.velocities[now.index[row], 0 if at < 0.6 else 1, 0] / (0.5 if at < 0.6 else -0.5)
    torch.testing.assert_close(slope, expected)


@pytest.mark.parametrize("ordered", [False, True])
def test_a_picture_without_gradients_takes_the_same_rows_as_a_training_step(ordered: bool) -> None:
    gaussians = random_gaussians(60)
    if ordered:
        gaussians = gaussians[(gaussians.keyframe * 2 + gaussians.dynamic).argsort()]
    for part in (gaussians, gaussians[gaussians.dynamic], gaussians[~gaussians.dynamic], gaussians[:0]):
        trained = part.with_(**{name: getattr(part, name).clone().requires_grad_() for name in ("means", "sh")})
        for time in (0.0, 0.3, 0.5, 1.0):
            with torch.no_grad():
                drawn = at_time(part, time)
            step = at_time(trained, time)
            for name in ("means", "quats", "scales", "opacities", "sh", "index"):
                # Both round as they please, by an ulp or two.
                torch.testing.assert_close(getattr(drawn, name), getattr(step, name), rtol=1e-6, atol=5e-7)
