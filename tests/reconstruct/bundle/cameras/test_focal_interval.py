"""The interval holds the truth, is narrow where the camera turns and wide where it walks straight ahead."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from neoverse_ns.reconstruct.bundle.cameras.bundle_adjustment import AdjustmentSettings, adjust
from neoverse_ns.reconstruct.bundle.cameras.focal_interval import FocalInterval, _ends, focal_interval
from neoverse_ns.reconstruct.bundle.cameras.observations import Observations
from neoverse_ns.reconstruct.bundle.cameras.state import State
from tests.reconstruct.bundle.scenes import W, empty_observations, random_state, with_seen

SETTINGS = AdjustmentSettings(iterations=20, kernel=(2.0, 0.4), smoothness=0.0, prior=(0.75, 0.4, 3e-4))


def interval(turn: float, focal: float = 0.7, straight: bool = False) -> FocalInterval:
    observations = empty_observations(6, gaps=(1, 2, 4), stride=4)
    truth = random_state(6, observations.points.shape[0], focal, seed=3, turn=turn)
    if straight:
        ahead = torch.eye(4, dtype=torch.float64).repeat(6, 1, 1)
        ahead[:, 2, 3] = -0.02 * torch.arange(6)
        truth = replace(truth, poses=ahead)
    observations = noisy(with_seen(observations, truth))
    solved = adjust(observations, truth, SETTINGS)
    return focal_interval(observations, solved.state, SETTINGS)


def noisy(observations: Observations) -> Observations:
    noise = torch.randn(observations.seen.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return replace(observations, seen=observations.seen + 0.05 / W * noise)


def test_turns_tell_the_focal_length():
    found = interval(turn=0.1)
    assert found.low < 0.7 < found.high
    assert found.source == "measured"
    assert found.half_width < 0.1


def test_a_straight_walk_hardly_tells_it():
    found = interval(turn=0.0, straight=True)
    assert found.low < 0.7 < found.high
    assert found.source != "measured"
    assert found.half_width > 2 * interval(turn=0.1).half_width


def test_ends_lie_where_a_parabola_crosses_the_bound():
    course = [(x / 10, (x / 10) ** 2) for x in range(-4, 5)]
    low, high = _ends(course, 0.09)
    assert (low, high) == pytest.approx((-0.3, 0.3))
    assert _ends(course, 1.0) == (-math.inf, math.inf)


def test_what_an_interval_is_worth():
    state = State(torch.eye(4)[None], torch.ones(1, 1), torch.ones(1))
    assert FocalInterval(0.9, 1.1, state, 0.0).source == "measured"
    assert FocalInterval(0.5, 1.1, state, 0.0).source == "weak"
    assert FocalInterval(0.5, math.inf, state, 0.0).source == "assumed"
    assert FocalInterval(0.0, 1.0, state, 0.0).half_width == math.inf
    wider = FocalInterval(0.9, 1.1, state, 0.0).with_focal(0.5)
    assert (wider.low, wider.high, wider.source) == (0.5, 1.1, "weak")
