"""What flow lost is found where it would have gone, and only there."""

from __future__ import annotations

import numpy as np

from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField
from neoverse_ns.reconstruct.bundle.motion.going_on import gone_on
from neoverse_ns.reconstruct.bundle.motion.keyframe_flow import KeyframeFlows
from neoverse_ns.reconstruct.bundle.motion.things import find_things
from tests.reconstruct.bundle.motion.moving_squares import Square, draw


def _block(column: int, row: int = 10, label: int = 1) -> np.ndarray:
    result = np.zeros((40, 90), np.int32)
    result[row : row + 12, column : column + 12] = label
    return result


def test_a_thing_goes_on_at_its_pace_over_a_wider_gap() -> None:
    before = [_block(10, label=7), _block(16, label=7)]
    # Twice as long a gap takes it twice as far.
    assert gone_on(_block(28), [1], before, [0, 1, 3], [7]) == {1: 7}
    assert gone_on(_block(28), [1], before, [0, 1, 2], [7]) == {1: 7}
    assert gone_on(_block(44), [1], before, [0, 1, 3], [7]) == {}


def test_each_region_and_each_thing_is_taken_once_and_the_likeliest_first() -> None:
    before = [_block(10, label=7) + _block(10, 26, label=8), _block(16, label=7) + _block(16, 26, label=8)]
    regions = _block(23, 11, label=1) + _block(22, 26, label=2)
    assert gone_on(regions, [1, 2], before, [0, 1, 2], [7, 8]) == {1: 7, 2: 8}
    assert gone_on(regions, [1], before, [0, 1, 2], [7, 8]) == {1: 7}
    assert gone_on(regions, [1, 2], before, [0, 1, 2], [8]) == {2: 8}


def test_what_was_seen_once_has_no_pace() -> None:
    assert gone_on(_block(16), [1], [_block(10, label=7)], [0, 1], [7]) == {}


def test_a_thing_keeps_its_number_where_no_flow_leads_on() -> None:
    steps = np.arange(7)
    drawn = draw([Square((20 + 9.0 * steps).tolist(), [3.2] * 7)], 7)
    gap = drawn.flows.keyframes[2]
    lost = {pair for pair in drawn.flows.field.flow if min(pair) <= gap < max(pair)}
    field = FlowField(
        {pair: flow for pair, flow in drawn.flows.field.flow.items() if pair not in lost},
        {pair: trust for pair, trust in drawn.flows.field.confidence.items() if pair not in lost},
    )
    things = find_things(drawn.moving, drawn.images, KeyframeFlows(field, drawn.flows.keyframes))
    assert things.count == 1
    assert np.array_equal(things.labels > 0, drawn.labels > 0)
