"""Windows of time, seconds, and which rows a Gaussian needs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from neoverse_ns.export.fourdgs.clock import TICK, clock_of
from neoverse_ns.export.fourdgs.fade import fade_table
from neoverse_ns.export.fourdgs.pieces import keyframed, pieces
from neoverse_ns.export.fourdgs.rows import Rows, windows
from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.gaussians.transition import at_time
from tests.export.layered_scene import layered_scene


def test_windows_are_the_stretches_in_which_something_is_seen() -> None:
    visible = np.array([[1, 0, 0, 1], [1, 1, 0, 0], [0, 1, 0, 1], [1, 1, 0, 1]], dtype=bool)
    which, begin, end = windows(visible, np.array([0.0, 1.0, 2.0, 3.0, 4.0]))
    expected = [(0, 0, 2), (0, 3, 4), (1, 1, 4), (3, 0, 1), (3, 2, 4)]
    assert list(zip(which.tolist(), begin.tolist(), end.tolist(), strict=True)) == expected


def test_the_clock_starts_with_the_clip_and_ends_behind_its_last_frame() -> None:
    clock = clock_of(layered_scene())
    assert clock.seconds.tolist() == [0.0, 0.125, 0.25, 0.375, 0.5]
    assert clock.duration == 0.5625
    np.testing.assert_allclose(clock.of(np.array([-0.5, 0.0, 0.3, 1.0, 1.5])), [-0.25, 0.0, 0.15, 0.5, 0.75])
    assert clock.step % TICK == pytest.approx(0.0, abs=1e-12)
    assert abs(clock.snapped(np.array([0.2222]))[0] - 0.2222) <= clock.step / 2
    still = layered_scene()
    one = replace(still, cameras=still.cameras[[0]], times=still.times[:1], seconds=still.seconds[:1])
    assert clock_of(one).duration == 1.0


def one_gaussian(moves: list[list[float]], turns: list[list[float]], at: float = 0.5) -> DynamicGaussians:
    return DynamicGaussians(
        means=torch.tensor([[0.1, 0.2, 2.0]]),
        quats=torch.tensor([[1.0, 0.0, 0.0, 0.0]]),
        log_scales=torch.log(torch.tensor([[0.01, 0.02, 0.005]])),
        opacity_logits=torch.tensor([3.0]),
        sh=torch.zeros(1, 1, 3),
        keyframe=torch.tensor([1]),
        interval=torch.tensor([[at - 0.5, at, at + 0.5]]),
        velocities=torch.tensor([moves]),
        angular_velocities=torch.tensor([turns]),
        life_span_logits=torch.tensor([2.2]),
        dynamic=torch.tensor([True]),
    )


def rows_of(g: DynamicGaussians) -> Rows:
    clock = clock_of(layered_scene())
    return pieces(keyframed(g, np.array([7]), clock), clock, fade_table(10.0), nearest_only=False)


def opacity_and_place(rows: Rows, second: float) -> tuple[float, np.ndarray]:
    """Of the one row that exists then."""
    (row,) = np.flatnonzero((rows.begin <= second) & (second < rows.end))
    bell = np.exp(-0.5 * ((second - rows.time[row]) / rows.width[row]) ** 2)
    return float(bell), rows.centres[row] + (second - rows.time[row]) * rows.velocities[row]


NO_MOVES, NO_TURNS = [[0.0] * 3] * 2, [[0.0] * 3] * 2
STRAIGHT = [[0.3, 0.0, 0.1], [-0.3, 0.0, -0.1]]
BENT = [[0.3, 0.0, 0.1], [0.2, 0.1, 0.0]]


@pytest.mark.parametrize(
    ("moves", "turns", "count"),
    [
        # What stands still or goes straight on: one flat piece, two fades.
        (NO_MOVES, NO_TURNS, 3),
        (STRAIGHT, NO_TURNS, 3),
        # What changes its course, or turns, needs a flat piece to each side.
        (BENT, NO_TURNS, 4),
        (NO_MOVES, [[0.0, 0.0, 0.5], [0.0, 0.0, -0.5]], 4),
    ],
)
def test_rows_are_where_the_gaussian_is_and_as_opaque(
    moves: list[list[float]], turns: list[list[float]], count: int
) -> None:
    g = one_gaussian(moves, turns)
    rows = rows_of(g)
    assert len(rows) == count
    assert (rows.source == 7).all()
    for time in np.linspace(0.02, 0.98, 33):
        expected = at_time(g, float(time))
        bell, place = opacity_and_place(rows, 0.5 * float(time))
        assert bell == pytest.approx(float(expected.opacities[0] / g.opacities[0]), abs=0.09)
        np.testing.assert_allclose(place, expected.means[0].numpy(), atol=0.0012)


def test_a_keyframe_at_the_clips_end_lives_to_the_last_frame_and_not_before_the_first() -> None:
    first, last = rows_of(one_gaussian(STRAIGHT, NO_TURNS, at=0.0)), rows_of(one_gaussian(STRAIGHT, NO_TURNS, at=1.0))
    assert opacity_and_place(first, 0.0)[0] == pytest.approx(1.0)
    assert first.begin.min() >= 0
    assert opacity_and_place(last, 0.5)[0] == pytest.approx(1.0)
    np.testing.assert_allclose(opacity_and_place(last, 0.5)[1], [0.1, 0.2, 2.0], atol=1e-6)
    assert last.end.max() == pytest.approx(0.5625)
    assert (first.begin < first.end).all()
    assert (last.begin < last.end).all()
