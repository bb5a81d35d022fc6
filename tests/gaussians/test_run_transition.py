"""The transition run by run against the one row by row."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.gaussians import transition
from neoverse_ns.gaussians.transition import at_time
from tests.gaussians.scenes import random_gaussians


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("ordered", [False, True])
def test_both_ways_give_the_same(ordered: bool, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    gaussians = random_gaussians(60, dtype=dtype)
    gaussians.angular_velocities[::7] = 0
    gaussians.angular_velocities[1::7] *= 1e-22
    gaussians.angular_velocities[2::7] *= 1e-5
    if ordered:
        gaussians = gaussians[(gaussians.keyframe * 2 + gaussians.dynamic).argsort()]
    before = {name: value.clone() for name, value in gaussians.tensors().items()}
    parts = (gaussians, gaussians[torch.arange(60) % 4 != 1], gaussians[gaussians.keyframe == 1], gaussians[:0])
    cases = [(time, part) for time in (0.0, 0.2, 0.5, 0.77, 1.0) for part in parts]
    by_runs = [at_time(part, time) for time, part in cases]
    monkeypatch.setattr(transition, "FEW_RUNS", -1)
    tolerance = {"rtol": 1e-5, "atol": 1e-6} if dtype == torch.float32 else {"rtol": 1e-6, "atol": 1e-8}
    for (time, part), mine in zip(cases, by_runs, strict=True):
        reference = at_time(part, time)
        assert torch.equal(mine.index, reference.index)
        for name in ("means", "quats", "scales", "opacities", "sh"):
            assert getattr(mine, name).dtype == dtype
            torch.testing.assert_close(getattr(mine, name), getattr(reference, name), **tolerance)
    # It writes in place, but never into the clip's own tensors.
    assert all(torch.equal(value, before[name]) for name, value in gaussians.tensors().items())


def test_neighbouring_keyframes_share_the_clips_colours() -> None:
    gaussians = random_gaussians(60)
    gaussians = gaussians[gaussians.keyframe.argsort()]
    gaussians = gaussians[gaussians.dynamic]
    now = at_time(gaussians, 0.3)
    assert now.sh.data_ptr() == gaussians.sh.data_ptr()
    assert now.means.data_ptr() != gaussians.means.data_ptr()


def test_training_takes_the_way_that_keeps_gradients() -> None:
    gaussians = random_gaussians(30)
    means = gaussians.means.clone().requires_grad_()
    at_time(gaussians.with_(means=means), 0.3).means.sum().backward()
    assert means.grad is not None
    with torch.no_grad():
        assert not at_time(gaussians.with_(means=means), 0.3).means.requires_grad
