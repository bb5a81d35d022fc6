"""Which frames train, which are held out, which are keyframes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neoverse_ns.errors import SettingsError
from neoverse_ns.reconstruct.split import split_frames


def test_default_protocol() -> None:
    split = split_frames(25)
    assert split.held_out == [4, 12, 20]
    assert split.keyframes[0] == 0
    assert split.keyframes[-1] == 24
    assert len(split.keyframes) == 12


@given(
    count=st.integers(1, 90),
    keyframes=st.one_of(st.none(), st.integers(1, 100)),
    every=st.one_of(st.just(0), st.integers(2, 20)),
)
def test_invariants(count: int, keyframes: int | None, every: int) -> None:
    split = split_frames(count, keyframes, every)
    assert sorted(split.train + split.held_out) == list(range(count))
    assert set(split.keyframes) <= set(split.train)
    assert split.keyframes == sorted(set(split.keyframes))
    assert split.count == count
    if keyframes is not None:
        assert len(split.keyframes) == min(keyframes, len(split.train))
    for frame in split.held_out:
        assert any(t < frame for t in split.train)
        assert any(t > frame for t in split.train)
    if keyframes is None or keyframes > 1:
        assert split.keyframes[-1] == split.train[-1] == count - 1


@pytest.mark.parametrize(("count", "keyframes", "every"), [(0, None, 8), (5, 0, 8), (5, None, 1), (5, None, -1)])
def test_out_of_range(count: int, keyframes: int | None, every: int) -> None:
    with pytest.raises(SettingsError):
        split_frames(count, keyframes, every)


def test_what_is_seen_again_is_never_held_out() -> None:
    # A neighbour takes the place of 4; around 20 there is none.
    split = split_frames(25, seen_again={4, *range(17, 24)})
    assert split.held_out == [5, 12]
    assert sorted(split.train + split.held_out) == list(range(25))
    assert split_frames(25, seen_again=range(25)).held_out == []


@given(count=st.integers(1, 60), every=st.integers(2, 12), again=st.sets(st.integers(0, 59)))
def test_held_out_frames_stay_apart_and_inside(count: int, every: int, again: set[int]) -> None:
    held_out = split_frames(count, None, every, again).held_out
    assert not again.intersection(held_out)
    assert held_out == sorted(set(held_out))
    assert all(0 < i < count - 1 for i in held_out)
    assert all(b - a >= 2 for a, b in itertools.pairwise(held_out))
