"""Which training frame a step looks at."""

from __future__ import annotations

from neoverse_ns.optimise.frame_order import frame_of_step


def test_every_pass_shows_each_frame_once_in_an_order_of_its_own() -> None:
    order = [frame_of_step(step, 7) for step in range(70)]
    passes = [order[i : i + 7] for i in range(0, 70, 7)]
    assert all(sorted(found) == list(range(7)) for found in passes)
    assert len({tuple(found) for found in passes}) == 10


def test_it_depends_on_the_step_alone() -> None:
    order = [frame_of_step(step, 5) for step in range(20)]
    assert [frame_of_step(step, 5) for step in reversed(range(20))] == order[::-1]
    assert [frame_of_step(step, 1) for step in range(4)] == [0] * 4
