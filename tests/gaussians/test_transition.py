"""The time transition against the published code's numbers, closed forms and finite differences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.gaussians.transition import alive_at, at_time, fade
from tests.fixtures.published import FOLDERS, read_arrays
from tests.gaussians.scenes import random_gaussians


def fixture_gaussians(data: dict[str, np.ndarray]) -> DynamicGaussians:
    """The fixture's keyframe, in frame numbers instead of normalised time: the transition only knows ratios."""
    tensors = {name.removeprefix("input."): torch.from_numpy(value) for name, value in data.items() if "input." in name}
    count = len(tensors["means"])
    interval = torch.tensor([float(data[n]) for n in ("backward_timestamp", "timestamp", "forward_timestamp")])
    return DynamicGaussians(
        means=tensors["means"],
        quats=tensors["rotations"],
        log_scales=tensors["scales"].log(),
        opacity_logits=torch.logit(tensors["opacities"]),
        sh=tensors["harmonics"],
        keyframe=torch.zeros(count, dtype=torch.int64),
        interval=interval.expand(count, 3).contiguous(),
        velocities=torch.stack([tensors["forward_vel"], tensors["backward_vel"]], dim=1),
        angular_velocities=torch.stack([tensors["forward_rotations"], tensors["backward_rotations"]], dim=1),
        life_span_logits=torch.logit(tensors["life_span"]),
        dynamic=torch.ones(count, dtype=torch.bool),
    )


@pytest.mark.parametrize("folder", FOLDERS)
def test_reproduces_the_published_transition(folder: Path) -> None:
    data = {key: array.whole for key, array in read_arrays(folder, "transition").items()}
    gaussians = fixture_gaussians(data)
    for time in data["times"]:
        now = at_time(gaussians, float(time), gamma=float(data["life_span_gamma"]))
        for name, value in {
            "means": now.means,
            "rotations": now.quats,
            "scales": now.scales,
            "opacities": now.opacities,
            "harmonics": now.sh,
        }.items():
            expected = data[f"out.{time}.{name}"]
            assert value.shape == expected.shape, (time, name)
            np.testing.assert_allclose(value.numpy(), expected, atol=1e-5, rtol=0, err_msg=f"{name} at {time}")


def test_open_interval_and_constants() -> None:
    gaussians = random_gaussians()
    constant = ~gaussians.dynamic
    for time in (0.0, 0.25, 0.5, 0.999, 1.0):
        alive = alive_at(gaussians, time)
        expected = constant | ((time - gaussians.interval[:, 1]).abs() < 0.5)
        assert torch.equal(alive, expected)


def test_nearest_only_draws_one_keyframe_and_ties_go_to_the_earlier() -> None:
    gaussians = random_gaussians()
    dynamic = gaussians.dynamic
    for time, keyframe in ((0.0, 0), (0.25, 0), (0.26, 1), (0.5, 1), (0.75, 1), (0.76, 2), (1.0, 2)):
        alive = alive_at(gaussians, time, nearest_only=True)
        assert torch.equal(alive & dynamic, (gaussians.keyframe == keyframe) & dynamic), time
        assert alive[~dynamic].all()


def test_constant_gaussians_do_not_change() -> None:
    gaussians = random_gaussians()
    now = at_time(gaussians, 0.37)
    constant = ~gaussians.dynamic[now.index]
    rows = now.index[constant]
    assert constant.sum() == 10
    assert torch.equal(now.means[constant], gaussians.means[rows])
    torch.testing.assert_close(now.opacities[constant], gaussians.opacities[rows], rtol=1e-6, atol=0)
    torch.testing.assert_close(now.quats[constant], gaussians.quats[rows])


@settings(max_examples=40, deadline=None)
@given(time=st.floats(0, 1), seed=st.integers(0, 1000))
def test_motion_is_linear_and_opacity_never_grows(time: float, seed: int) -> None:
    gaussians = random_gaussians(30, seed, torch.float64)
    now = at_time(gaussians, time)
    rows = now.index
    signed = (time - gaussians.interval[rows, 1]) / 0.5
    side = (signed <= 0).long()
    velocity = gaussians.velocities[rows, side]
    moved = gaussians.means[rows] + torch.where(gaussians.dynamic[rows], signed.abs(), 0.0)[:, None] * velocity
    torch.testing.assert_close(now.means, moved)
    assert (now.opacities <= gaussians.opacities[rows] + 1e-12).all()
    torch.testing.assert_close(now.quats.norm(dim=-1), gaussians.quats[rows].norm(dim=-1))


@pytest.mark.parametrize("blend", [0.5, 0.6, 0.9])
def test_a_keyframe_is_drawn_blended_as_inside_a_gap(blend: float) -> None:
    """At 0.5 as at `blend`: motion is that to the keyframe, rows and opacities are those of the other time."""
    gaussians = random_gaussians(60, 2, torch.float64)
    now, inside = at_time(gaussians, 0.5, blend=blend), at_time(gaussians, blend)
    assert torch.equal(now.index, inside.index)
    torch.testing.assert_close(now.opacities, inside.opacities, rtol=1e-12, atol=0)
    rows = now.index
    # Those of the last keyframe have gone all the way back; nothing else moves.
    gone = gaussians.dynamic[rows] & (gaussians.keyframe[rows] == 2)
    assert bool(gone.any()) == (blend > 0.5)
    moved = gaussians.means[rows] + gone[:, None] * gaussians.velocities[rows, 1]
    torch.testing.assert_close(now.means, moved, rtol=0, atol=1e-12)


def test_blending_as_at_the_time_itself_changes_nothing() -> None:
    gaussians = random_gaussians()
    plain = at_time(gaussians.with_(means=gaussians.means.clone().requires_grad_()), 0.3)
    blended = at_time(gaussians, 0.3, blend=0.3)
    for name in ("means", "quats", "scales", "opacities", "index"):
        assert torch.equal(getattr(plain, name).detach(), getattr(blended, name))


def test_fade_limits() -> None:
    life = torch.tensor([0.0, 0.5, 0.99])
    assert torch.equal(fade(life, torch.zeros(3)), torch.ones(3))
    halfway = fade(life, torch.full((3,), 0.5))
    expected = [np.exp(-10 * 0.5 ** (1 / (1 - tau + 1e-6))) for tau in (0.0, 0.5, 0.99)]
    np.testing.assert_allclose(halfway.numpy(), expected, rtol=1e-4)
    assert (halfway.diff() > 0).all()


@pytest.mark.parametrize("time", [0.0, 0.2, 0.5, 0.9])
def test_gradients_match_finite_differences(time: float) -> None:
    gaussians = random_gaussians(8, 3, torch.float64)
    names = ("means", "quats", "log_scales", "opacity_logits", "velocities", "angular_velocities", "life_span_logits")

    def drawn(*values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        # Sums keep the values from being leaves, so that gradients are dense, as gradcheck wants.
        now = at_time(gaussians.with_(**{n: v * 1.0 for n, v in zip(names, values, strict=True)}), time)
        return now.means, now.quats, now.scales, now.opacities

    inputs = [getattr(gaussians, name).clone().requires_grad_() for name in names]
    assert torch.autograd.gradcheck(drawn, inputs)


def test_gradients_are_finite_at_the_keyframe() -> None:
    gaussians = random_gaussians()
    life = gaussians.life_span_logits.requires_grad_()
    at_time(gaussians, 0.5).opacities.sum().backward()
    assert life.grad is not None
    assert torch.isfinite(life.grad.to_dense()).all()
