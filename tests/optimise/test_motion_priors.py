"""Terms on velocities against loops over the Gaussians."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from neoverse_ns.gaussians.dynamic import SH_C0, DynamicGaussians
from neoverse_ns.optimise.motion_priors import (
    EDGE,
    MotionLossConfig,
    MotionPrior,
    motion_losses,
    pixel_neighbours,
)
from tests.gaussians.scenes import random_gaussians

WIDTH, HEIGHT, FRAMES = 5, 4, 3


def grid() -> tuple[DynamicGaussians, MotionPrior]:
    """One Gaussian per pixel of three keyframes; frames 0 and 2 reach past the clip's ends."""
    count = WIDTH * HEIGHT * FRAMES
    keyframe = torch.arange(count) // (WIDTH * HEIGHT)
    at = keyframe / 2
    gaussians = random_gaussians(count, seed=3).with_(
        keyframe=keyframe,
        interval=torch.stack([at - 0.5, at, at + 0.5], dim=-1),
        dynamic=torch.ones(count, dtype=torch.bool),
    )
    gaussians.interval[keyframe == 1, 2] = 0.8
    place = torch.arange(count) % (WIDTH * HEIGHT)
    neighbours = pixel_neighbours(keyframe, torch.stack([place % WIDTH, place // WIDTH], dim=-1), WIDTH, HEIGHT)
    velocities = 0.02 * torch.randn(count, 2, 3, generator=torch.Generator().manual_seed(5))
    velocities[::4, 1] = 0
    return gaussians, MotionPrior(velocities, neighbours)


def test_neighbours_are_the_pixels_to_the_right_and_below() -> None:
    _, prior = grid()
    for row, (right, below) in enumerate(prior.neighbours.tolist()):
        column, line = row % WIDTH, row // WIDTH % HEIGHT
        assert right == (row + 1 if column + 1 < WIDTH else -1)
        assert below == (row + WIDTH if line + 1 < HEIGHT else -1)


def test_missing_and_outer_pixels_have_no_neighbours() -> None:
    pixels = torch.tensor([[0, 0], [1, 0], [5, 0], [0, 1], [1, 0]])
    found = pixel_neighbours(torch.tensor([0, 0, 0, -1, 1]), pixels, WIDTH, HEIGHT)
    assert found.tolist() == [[1, -1], [-1, -1], [-1, -1], [-1, -1], [-1, -1]]


def looked_at(alive: torch.Tensor, step: int, share: int) -> list[int]:
    return alive.nonzero().squeeze(-1).tolist()[step % share :: share]


@pytest.mark.parametrize("step", [0, 2])
def test_terms_are_the_means_they_are_said_to_be(step: int) -> None:
    gaussians, prior = grid()
    alive = gaussians.keyframe >= 1
    rows = looked_at(alive, step, 3)
    losses = motion_losses(gaussians, alive, step, prior, MotionLossConfig(2.0, 3.0, 5.0, share=3))
    v, v0 = gaussians.velocities.double(), prior.velocities.double()
    size = gaussians.log_scales.double().exp().mean(-1)
    colour = SH_C0 * gaussians.sh[:, 0].double()
    flow, smooth, reversal = [], [], []
    for row in rows:
        for side in (0, 1):
            if bool((v0[row, side] != 0).any()):
                flow.append(float(((v[row, side] - v0[row, side]) / size[row]).square().sum()))
        for other in prior.neighbours[row].tolist():
            if other >= 0:
                weight = math.exp(-float((colour[other] - colour[row]).abs().mean()) / EDGE)
                smooth.append(weight * float((v[other] - v[row]).abs().sum() / size[row]))
        before, at, after = gaussians.interval[row].double().tolist()
        if before >= 0 and after <= 1:
            change = v[row, 0] / (after - at) + v[row, 1] / (at - before)
            reversal.append(float((0.5 * (after - before) * change / size[row]).abs().sum()))
    weights = {"flow": 2.0, "smoothness": 3.0, "reversal": 5.0}
    assert reversal
    assert set(losses) == set(weights)
    for name, values in {"flow": flow, "smoothness": smooth, "reversal": reversal}.items():
        assert float(losses[name]) == pytest.approx(weights[name] * sum(values) / len(values), rel=1e-4), name


@pytest.mark.parametrize("name", ["flow", "smoothness", "reversal"])
def test_terms_move_only_velocities_of_what_is_alive_and_vanish_where_they_agree(name: str) -> None:
    gaussians, prior = grid()
    alive = gaussians.keyframe == 1
    config = MotionLossConfig(**{name: 1.0}, share=2)
    leaves: dict[str, Any] = {
        key: value.clone().requires_grad_() for key, value in gaussians.tensors().items() if value.is_floating_point()
    }
    leaves["interval"] = gaussians.interval
    losses = motion_losses(gaussians.with_(**leaves), alive, 1, prior, config)
    assert set(losses) == {name}
    losses[name].backward()
    assert all(value.grad is None for key, value in leaves.items() if key != "velocities")
    gradient = leaves["velocities"].grad
    assert gradient.is_sparse
    touched = gradient.to_dense().abs().sum((1, 2)) > 0
    assert bool(touched.any())
    assert not bool((touched & ~alive).any())
    if name != "smoothness":
        assert set(touched.nonzero().squeeze(-1).tolist()) <= set(looked_at(alive, 1, 2))
    # Velocities as lifted, the same everywhere, and those of an even motion, in turn.
    even = torch.ones(len(gaussians), 1, 3) * torch.tensor([[0.3], [-0.5]])
    agreeing = {"flow": prior.velocities, "smoothness": torch.ones_like(prior.velocities), "reversal": even}
    assert float(motion_losses(gaussians.with_(velocities=agreeing[name]), alive, 1, prior, config)[name]) == (
        pytest.approx(0, abs=1e-4)
    )


def test_nothing_alive_costs_nothing() -> None:
    gaussians, prior = grid()
    losses = motion_losses(gaussians, gaussians.keyframe > 9, 0, prior, MotionLossConfig(1.0, 1.0, 1.0))
    assert [float(value) for value in losses.values()] == [0, 0, 0]
