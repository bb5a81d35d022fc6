"""Regions linked into things, on squares that meet, hide each other, fall apart and are missed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField
from neoverse_ns.reconstruct.bundle.motion.keyframe_flow import KeyframeFlows
from neoverse_ns.reconstruct.bundle.motion.things import find_things
from tests.reconstruct.bundle.motion.moving_squares import Drawn, Square, draw

NEAR, FAR = 3.2, 4.0


def _purity(found: np.ndarray, true: np.ndarray) -> tuple[float, int]:
    """Share of moving pixels whose number is that which most of their square has, and how many numbers there are."""
    right = sum(np.bincount(found[true == square]).max() for square in range(1, int(true.max()) + 1))
    return right / (true > 0).sum(), len(np.unique(found[true > 0]))


def _crossing() -> Drawn:
    steps = np.arange(9)
    return draw([Square((30 + 8.0 * steps).tolist(), [NEAR] * 9), Square((98 - 8.0 * steps).tolist(), [FAR] * 9)], 9)


def test_things_that_pass_each_other_keep_their_numbers_where_they_are_one_region() -> None:
    drawn = _crossing()
    things = find_things(drawn.moving, drawn.images, drawn.flows)
    assert np.array_equal(things.labels > 0, drawn.labels > 0)
    for place in (2, 3):
        pure, numbers = _purity(things.labels[place], drawn.labels[place])
        assert pure > 0.95
        assert numbers == 2
    first = [np.bincount(things.labels[0][drawn.labels[0] == square]).argmax() for square in (1, 2)]
    # The nearer one is never out of sight, the farther one wholly hidden in the middle.
    assert (things.labels[8][drawn.labels[8] == 1] == first[0]).all()
    assert first[1] not in things.labels[8][drawn.labels[8] == 1]


def test_what_comes_apart_for_good_is_told_apart_in_the_keyframes_before() -> None:
    steps = np.arange(7)
    drawn = draw([Square((40 - 4.0 * steps).tolist(), [NEAR] * 7), Square((62 + 4.0 * steps).tolist(), [NEAR] * 7)], 7)
    assert (np.diff(drawn.labels[0][48]) != 0).sum() == 3, "they touch at first"
    things = find_things(drawn.moving, drawn.images, drawn.flows)
    pure, numbers = _purity(things.labels, drawn.labels)
    assert pure > 0.97
    assert numbers == things.count == 2
    assert sorted(things.kin.tolist()) == [0, 0, 1]


def test_what_a_post_divides_for_a_moment_is_one_thing() -> None:
    steps = np.arange(7)
    drawn = draw([Square((34 + 10.0 * steps).tolist(), [NEAR] * 7)], 7)
    moving = drawn.moving.clone()
    moving[:, :, 62:66] = False
    things = find_things(moving, drawn.images, drawn.flows)
    assert things.count == 1
    assert np.array_equal(things.labels > 0, moving.numpy())


@pytest.mark.parametrize("missed", [[3], [3, 4]])
def test_a_thing_that_is_missed_for_a_keyframe_or_two_is_the_same_afterwards(missed: list[int]) -> None:
    steps = np.arange(8)
    drawn = draw([Square((30 + 6.0 * steps).tolist(), [NEAR] * 8)], 8)
    moving = drawn.moving.clone()
    moving[missed] = False
    things = find_things(moving, drawn.images, drawn.flows)
    assert things.count == 1
    assert things.present()[1].tolist() == [place not in missed for place in range(8)]


def test_two_keyframes_are_enough_and_one_thing_is_not_the_other() -> None:
    drawn = draw([Square([30, 36], [NEAR, NEAR]), Square([90, 84], [FAR, FAR])], 2)
    things = find_things(drawn.moving, drawn.images, drawn.flows)
    assert things.count == 2
    assert _purity(things.labels, drawn.labels) == (1.0, 2)


def test_without_flow_every_region_is_a_thing_of_its_own_and_without_movers_there_is_none() -> None:
    drawn = draw([Square([30, 36, 42], [NEAR] * 3)], 3)
    nowhere = KeyframeFlows(FlowField(), drawn.flows.keyframes)
    assert find_things(drawn.moving, drawn.images, nowhere).count == 3
    nothing = find_things(torch.zeros_like(drawn.moving), drawn.images, drawn.flows)
    assert nothing.count == 0
    assert not nothing.labels.any()
    assert not nothing.present().any()


def test_a_long_clip_is_linked_from_end_to_end() -> None:
    wander = (64 + 30 * np.sin(np.arange(60) / 4)).tolist()
    drawn = draw([Square(wander, [NEAR] * 60)], 60)
    assert find_things(drawn.moving, drawn.images, drawn.flows).count == 1
