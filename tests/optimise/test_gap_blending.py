"""Gaps without training frames are found, and drawn at their ends as somewhere inside."""

from __future__ import annotations

import pytest

from neoverse_ns.optimise.gap_blending import UntrainedGaps
from neoverse_ns.reconstruct.split import FrameSplit

# Frame 3 lies alone in its gap and is held out; 1 trains between keyframes 0 and 2.
SPLIT = FrameSplit(train=[0, 1, 2, 4, 5, 6], held_out=[3], keyframes=[0, 2, 4, 6])
TIMES = [frame / 6 for frame in range(7)]


def test_only_keyframes_beside_a_gap_without_training_frames_are_blended() -> None:
    gaps = UntrainedGaps(SPLIT.train, SPLIT.keyframes, TIMES, share=1.0)
    for frame in SPLIT.train:
        drawn = [gaps.blend(frame, step) for step in range(50)]
        if frame in (2, 4):
            assert all(moment is not None and TIMES[2] <= moment < TIMES[4] for moment in drawn)
            assert len(set(drawn)) == 50
        else:
            assert drawn == [None] * 50


def test_every_gap_beside_a_keyframe_gets_its_turn() -> None:
    split = FrameSplit(train=[0, 2, 4], held_out=[1, 3], keyframes=[0, 2, 4])
    gaps = UntrainedGaps(split.train, split.keyframes, [0.0, 0.25, 0.5, 0.75, 1.0], share=1.0)
    drawn = [gaps.blend(2, step) for step in range(100)]
    early = sum(moment is not None and moment < 0.5 for moment in drawn)
    assert 30 < early < 70


@pytest.mark.parametrize("share", [0.0, 0.3, 0.8])
def test_share_of_the_steps_and_the_same_ones_again(share: float) -> None:
    gaps = UntrainedGaps(SPLIT.train, SPLIT.keyframes, TIMES, share)
    drawn = [gaps.blend(2, step) for step in range(1000)]
    assert sum(moment is not None for moment in drawn) == pytest.approx(1000 * share, abs=60)
    assert drawn == [UntrainedGaps(SPLIT.train, SPLIT.keyframes, TIMES, share).blend(2, step) for step in range(1000)]


def test_frames_that_carry_moving_things_alone_have_gaps_too() -> None:
    gaps = UntrainedGaps(SPLIT.train, [0, 1, 2, 4, 6], TIMES, share=1.0)
    assert all(gaps.blend(frame, 0) is not None for frame in (0, 1, 2, 4))
    # Frame 5 still trains between 4 and 6.
    assert gaps.blend(6, 0) is None
    moment = gaps.blend(0, 3)
    assert moment is not None
    assert TIMES[0] <= moment < TIMES[1]
