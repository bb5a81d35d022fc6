"""When rounds are due, and whose turn a step is."""

from __future__ import annotations

import pytest

from neoverse_ns.generate.stage.schedule import Interleaving, Plan, make_plan


def test_one_round_follows_photometric_refinement() -> None:
    assert make_plan(0, 500, (), 200, []) == Plan((500,), 700, 200, True)
    # Stopped at 300 and resumed for the rest.
    assert make_plan(300, 200, (), 200, []) == Plan((500,), 700, 200, True)
    # Stopped inside the stage: what was made goes on training, nothing new is made.
    assert make_plan(600, 100, (), 200, [500]) == Plan((), 700, 200, False)


def test_chosen_steps_lengthen_the_run_only_where_they_must() -> None:
    assert make_plan(0, 500, (100, 300), 50, []) == Plan((100, 300), 500, 50, False)
    assert make_plan(0, 500, (100, 480), 50, []) == Plan((100, 480), 530, 50, False)


def test_a_resumed_run_makes_what_is_still_due_and_what_it_missed() -> None:
    assert make_plan(150, 350, (100, 300), 50, [100]).rounds == (300,)
    assert make_plan(150, 350, (100, 300), 50, []).rounds == (150, 300)
    assert make_plan(400, 100, (100, 300), 50, [100, 300]) == Plan((), 500, 50, False)
    # One made late is not made again, and one made for something earlier does not stand for a later one.
    assert make_plan(200, 300, (100, 300), 50, [150]).rounds == (300,)
    assert make_plan(600, 100, (650,), 50, [500]).rounds == (650,)


def test_a_round_that_waits_comes_early_where_the_loss_has_stalled_and_a_chosen_one_does_not() -> None:
    assert make_plan(0, 500, (), 200, []).over_at(320) == Plan((320,), 520, 200, False)
    chosen = make_plan(0, 500, (400,), 200, [])
    assert chosen.over_at(320) == chosen


@pytest.mark.parametrize("share", [0.0, 0.1, 0.4, 0.75])
def test_views_get_their_share_and_every_view_its_turn(share: float) -> None:
    turns = Interleaving(start=37, share=share, count=6)
    taken = [turns.view(step) for step in range(37 + 400)]
    assert taken[:37] == [None] * 37
    views = [view for view in taken if view is not None]
    assert len(views) == round(400 * share)
    for begin in range(0, len(views) - 5, 6):
        assert sorted(views[begin : begin + 6]) == list(range(6))
    if share > 0:
        assert views[:6] != views[6:12]
    # Frames are counted on without gaps, so that each still gets its turn as well.
    frames = [turns.frames_before(step) for step, view in enumerate(taken) if view is None]
    assert frames == list(range(len(frames)))


def test_no_views_take_no_step() -> None:
    turns = Interleaving(start=0, share=0.5, count=0)
    assert [turns.view(step) for step in range(10)] == [None] * 10
    assert turns.frames_before(10) == 10
