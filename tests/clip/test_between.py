"""Which frames are taken between the sampled ones, for any times, gaps and room."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neoverse_ns.clip import between
from neoverse_ns.clip.between import MOST_PER_GAP, frames_between
from neoverse_ns.clip.source import SeenFrame
from neoverse_ns.clip.useful_frames import UsefulFrames

NOTHING = np.zeros((32, 48, 3), np.uint8)


def shot_of(seconds: list[float], indices: list[int] | None = None) -> UsefulFrames:
    numbers = range(len(seconds)) if indices is None else indices
    frames = [SeenFrame(i, s, (64, 48), NOTHING) for i, s in zip(numbers, seconds, strict=True)]
    return UsefulFrames(frames, np.array(seconds, dtype=np.float64))


@st.composite
def shots(draw: st.DrawFn) -> tuple[list[float], list[int], list[int]]:
    """Times and numbers of frames at uneven steps, some missing from the source's count, and which are sampled."""
    steps = draw(st.lists(st.integers(1, 4), min_size=1, max_size=120))
    indices = list(itertools.accumulate(steps))
    seconds = list(itertools.accumulate(draw(st.floats(0.001, 0.5)) * step for step in steps))
    return seconds, indices, sorted(draw(st.sets(st.integers(0, len(steps) - 1), min_size=1, max_size=12)))


@given(shots(), st.integers(1, 100))
def test_as_many_as_there_is_room_for_and_none_that_is_sampled(
    case: tuple[list[float], list[int], list[int]], room: int
) -> None:
    seconds, numbers, places = case
    shot = shot_of(seconds, numbers)
    sampled = [shot.frames[i] for i in places]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(between, "MOST_BYTES", 64 * 48 * room)
        taken = frames_between(shot, sampled, (64, 48), notes := [])
    indices = [frame.index for frame in taken]
    assert indices == sorted(set(indices))
    assert not set(indices) & {frame.index for frame in sampled}
    assert len(taken) <= room
    borders = [frame.index for frame in sampled]
    there = [sum(a < f.index < b for f in shot.frames) for a, b in itertools.pairwise(borders)]
    kept = [sum(a < i < b for i in indices) for a, b in itertools.pairwise(borders)]
    assert sum(kept) == len(taken)
    most = max(kept, default=0)
    assert most <= MOST_PER_GAP
    # One bound for all gaps, and the next larger one would be too much.
    assert kept == [min(count, most) for count in there]
    if most < min(max(there, default=0), MOST_PER_GAP):
        assert sum(min(count, most + 1) for count in there) > room
    assert bool(notes) == (sum(kept) < sum(there))


def test_what_is_left_out_of_a_gap_is_spread_over_it() -> None:
    # Two gaps of a second: 59 frames at an even rate, and 59 of which 40 come in the last tenth.
    even = [i / 60 for i in range(61)]
    late = [*np.linspace(1, 1.9, 20)[1:], *np.linspace(1.9, 2.0, 42)[1:]]
    shot = shot_of([*even, *late])
    taken = frames_between(shot, [shot.frames[0], shot.frames[60], shot.frames[-1]], (64, 48), [])
    assert len(taken) == 2 * MOST_PER_GAP
    wanted = np.arange(1, MOST_PER_GAP + 1) / (MOST_PER_GAP + 1)
    assert np.abs(np.array([frame.seconds for frame in taken[:MOST_PER_GAP]]) - wanted).max() <= 0.5 / 60 + 1e-9
    assert (
        np.abs(np.array([frame.seconds for frame in taken[MOST_PER_GAP:]]) - 1 - wanted).max() <= 0.5 * 0.9 / 19 + 1e-9
    )


def test_few_of_them_can_be_refused() -> None:
    shot = shot_of([i / 30 for i in range(10)])
    sampled = [shot.frames[0], shot.frames[5], shot.frames[9]]
    assert len(frames_between(shot, sampled, (64, 48), [], fewest=7)) == 7
    assert frames_between(shot, sampled, (64, 48), [], fewest=8) == []
    assert frames_between(shot, sampled[:1], (64, 48), []) == []
