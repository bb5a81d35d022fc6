"""Groups of linked frames, and the tree along which cameras are chained."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from neoverse_ns.reconstruct.bundle.flow.view_graph import linked_groups, spanning_tree

PAIRS = st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda p: p[0] != p[1]), max_size=15)


def test_the_largest_group_comes_first_then_the_earliest():
    pairs = [(0, 1), (5, 3), (4, 5), (7, 6)]
    assert linked_groups(pairs, 9) == [[3, 4, 5], [0, 1], [6, 7], [2], [8]]


@given(PAIRS)
def test_groups_are_what_a_flood_reaches(pairs: set[tuple[int, int]]):
    groups = linked_groups(pairs, 10)
    assert sorted(frame for group in groups for frame in group) == list(range(10))
    for group in groups:
        reached = {group[0]}
        for _ in range(10):
            reached |= {b for i, j in pairs for a, b in ((i, j), (j, i)) if a in reached}
        assert sorted(reached) == group


def test_neighbours_are_chained_where_they_are_good_enough():
    strength = {(0, 1): 0.5, (1, 2): 0.4, (0, 2): 0.7, (2, 3): 0.6, (1, 3): 0.6}
    assert spanning_tree(strength, 4) == [(0, 1), (1, 2), (2, 3)]


def test_a_wider_pair_replaces_a_lost_step():
    strength = {(0, 1): 0.5, (1, 2): 0.02, (2, 3): 0.5, (0, 3): 0.4}
    assert spanning_tree(strength, 4) == [(0, 1), (0, 3), (3, 2)]


def test_both_orders_of_a_pair_count():
    strength = {(0, 1): 0.1, (1, 0): 0.1, (0, 2): 0.9, (2, 0): 0.1, (2, 1): 0.2}
    assert spanning_tree(strength, 3) == [(0, 2), (2, 1)]


@given(PAIRS)
def test_the_tree_reaches_exactly_the_first_group(pairs: set[tuple[int, int]]):
    tree = spanning_tree(dict.fromkeys(pairs, 0.5), 10)
    reached = [0]
    for known, new in tree:
        assert known in reached
        assert new not in reached
        reached.append(new)
    (own,) = [group for group in linked_groups(pairs, 10) if 0 in group]
    assert sorted(reached) == own
