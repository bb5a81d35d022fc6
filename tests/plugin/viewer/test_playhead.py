"""Which instant is shown: the one of whatever was moved last."""

from __future__ import annotations

import pytest

from neoverse_ns.plugin.viewer.playhead import Playhead

TIMES = [0.0, 0.1234, 0.5, 0.987, 1.0]


def test_frames_are_hit_exactly_whatever_the_slider_can_hit() -> None:
    moved: list[float] = []
    playhead = Playhead(TIMES)
    playhead.bind(moved.append)
    for frame, slider in ((1, 0.12), (3, 0.99)):
        playhead.go(frame)
        assert moved[-1] == slider
        # The slider's place comes back with every picture that is asked for, as a float32.
        assert playhead.at(slider + 1e-8) == TIMES[frame]
        assert playhead.frame == frame


def test_the_slider_takes_over_when_it_is_moved_and_gives_way_again() -> None:
    playhead = Playhead(TIMES)
    playhead.go(1)
    assert playhead.at(0.12) == TIMES[1]
    assert playhead.at(0.6) == pytest.approx(0.6)
    assert playhead.frame == 2
    playhead.go(1)
    # A picture that was under way asks with where the slider stands now.
    assert playhead.at(0.12) == TIMES[1]


def test_playing_leaves_the_slider_alone() -> None:
    moved: list[float] = []
    playhead = Playhead(TIMES)
    playhead.bind(moved.append)
    playhead.go(3, move_slider=False)
    assert moved == []
    assert playhead.at(0.0) == TIMES[3]


def test_ends_of_the_clip_and_of_time() -> None:
    playhead = Playhead(TIMES)
    playhead.go(99)
    assert playhead.time == 1.0
    playhead.go(-3)
    assert playhead.time == 0.0
    assert playhead.at(1.7) == 1.0
