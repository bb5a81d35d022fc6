"""Selection by runs of rows against a scan of all rows."""

from __future__ import annotations

import gc

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neoverse_ns.gaussians import lifetimes
from neoverse_ns.gaussians.lifetimes import find_runs, lifetime_runs
from neoverse_ns.gaussians.transition import alive_at, at_time, at_times
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
def test_several_times_at_once_are_one_after_the_other(nearest_only: bool) -> None:
    gaussians = random_gaussians(50)
    among = torch.arange(50) % 7 != 0
    times = torch.tensor([0.9, 0.0, 0.25, 0.26])
    together = at_times(gaussians, times, nearest_only, among=among)
    assert len(together) == 4
    for time, now in zip(times, together, strict=True):
        alone = at_time(gaussians, float(time), nearest_only, among=among)
        for name in ("means", "quats", "scales", "opacities", "sh", "index"):
            torch.testing.assert_close(getattr(now, name), getattr(alone, name), rtol=1e-6, atol=1e-7)
        as_tensor = at_time(gaussians, time, nearest_only, among=among)
        assert torch.equal(as_tensor.means, alone.means)
    assert torch.equal(together[-1].means, together[3].means)
    with pytest.raises(IndexError):
        together[4]
    alive = alive_at(gaussians, times, nearest_only)
    assert alive.shape == (4, 50)
    for row, time in zip(alive, times, strict=True):
        assert torch.equal(row, alive_at(gaussians, float(time), nearest_only))


def test_no_times_give_no_gaussians() -> None:
    none = at_times(random_gaussians(10), torch.zeros(0))
    assert len(none) == 0
    assert list(none) == []
    assert none.together.means.shape == (0, 3)


def test_gradients_of_several_times_add_up() -> None:
    gaussians, times = random_gaussians(50), torch.tensor([0.1, 0.4, 0.4, 0.8])
    names = ("means", "quats", "velocities", "angular_velocities", "life_span_logits", "opacity_logits", "log_scales")

    def gradients(batched: bool) -> dict[str, torch.Tensor]:
        leaves = {name: getattr(gaussians, name).clone().requires_grad_() for name in names}
        own = gaussians.with_(**leaves)
        moments = list(at_times(own, times)) if batched else [at_time(own, float(time)) for time in times]
        sum((m.means.sin() + m.scales).sum() + m.quats.sin().sum() + m.opacities.sum() for m in moments).backward()
        return {name: leaf.grad.to_dense() for name, leaf in leaves.items()}

    one_by_one = gradients(batched=False)
    for name, value in gradients(batched=True).items():
        assert value.norm() > 0, name
        torch.testing.assert_close(value, one_by_one[name])


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
    trained = gaussians.with_(**{name: getattr(gaussians, name).clone().requires_grad_() for name in ("means", "sh")})
    for time in (0.0, 0.3, 0.5, 1.0):
        for among in (None, gaussians.dynamic, ~gaussians.dynamic, torch.zeros(60, dtype=torch.bool)):
            with torch.no_grad():
                drawn = at_time(gaussians, time, among=among)
            step = at_time(trained, time, among=among)
            for name in ("means", "quats", "scales", "opacities", "sh", "index"):
                # Both round as they please, by an ulp or two.
                torch.testing.assert_close(getattr(drawn, name), getattr(step, name), rtol=1e-6, atol=5e-7)
