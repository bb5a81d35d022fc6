"""Changes of size and orders of occlusion, on squares whose depths are known."""

from __future__ import annotations

import numpy as np
import pytest

from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField
from neoverse_ns.reconstruct.bundle.motion.keyframe_flow import KeyframeFlows
from neoverse_ns.reconstruct.bundle.motion.size_changes import link_sizes
from tests.reconstruct.bundle.motion.moving_squares import Square, draw

DEPTHS = [4.0, 3.6, 3.3, 3.0, 2.7]
COLUMNS = [40.0, 48.0, 56.0, 64.0, 72.0]


def _present(labels: np.ndarray) -> np.ndarray:
    things = int(labels.max()) + 1
    return np.array([[thing > 0 and bool((one == thing).any()) for one in labels] for thing in range(things)])


def test_growth_is_the_ratio_of_the_depths() -> None:
    drawn = draw([Square(COLUMNS, DEPTHS)], 5)
    links, orders = link_sizes(drawn.labels, _present(drawn.labels), drawn.flows)
    assert [(link.thing, link.first, link.second) for link in links] == [(1, n, n + 1) for n in range(4)]
    for link in links:
        assert link.growth == pytest.approx(np.log(DEPTHS[link.first] / DEPTHS[link.second]), abs=0.01)
    assert not orders


def test_a_keyframe_without_the_thing_is_skipped() -> None:
    drawn = draw([Square(COLUMNS, DEPTHS)], 5)
    labels = drawn.labels.copy()
    labels[2] = 0
    links, _ = link_sizes(labels, _present(labels), drawn.flows)
    skipped = [link for link in links if link.second - link.first == 2]
    assert [(link.first, link.second) for link in skipped] == [(1, 3)]
    assert skipped[0].growth == pytest.approx(np.log(DEPTHS[1] / DEPTHS[3]), abs=0.01)


def test_the_nearer_of_two_that_meet_hides_the_farther() -> None:
    steps = np.arange(7)
    drawn = draw([Square((34 + 6.0 * steps).tolist(), [3.2] * 7), Square((94 - 6.0 * steps).tolist(), [4.0] * 7)], 7)
    _, orders = link_sizes(drawn.labels, _present(drawn.labels), drawn.flows)
    assert orders
    assert {(order.front, order.back) for order in orders} == {(1, 2)}
    # They overlap in the image in these keyframes alone.
    assert {order.place for order in orders} <= {2, 3, 4, 5, 6}


def test_without_trusted_flow_nothing_is_linked() -> None:
    drawn = draw([Square(COLUMNS, DEPTHS)], 5)
    nowhere = KeyframeFlows(FlowField(), drawn.flows.keyframes)
    assert link_sizes(drawn.labels, _present(drawn.labels), nowhere) == ([], [])
    for trust in drawn.flows.field.confidence.values():
        trust[:] = 0.0
    assert link_sizes(drawn.labels, _present(drawn.labels), drawn.flows) == ([], [])
