"""Repeated pictures are left out, and nothing else is, however slowly it moves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neoverse_ns.clip.changes import picture_change
from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.load import load_clip, open_source
from neoverse_ns.clip.repeats import live_seconds, new_pictures, seen_again, standstills
from neoverse_ns.clip.source import SeenFrame, picture_of
from tests.clip.clip_makers import write_video
from tests.clip.moving_pictures import pan, seen


def looked_at(path: Path) -> list[SeenFrame]:
    return [frame for frame in open_source(path, ClipConfig()).look(0.0, 60.0) if frame is not None]


@pytest.mark.parametrize("quality", ["14", "26"])
@pytest.mark.parametrize(("real", "shown"), [(10, 24), (25, 30), (24, 60)])
def test_repeats_of_a_pulldown_are_found_after_compression(tmp_path: Path, real: int, shown: int, quality: str):
    source = [i * real // shown for i in range(60)]
    images = pan(0, [4.0 * k for k in range(max(source) + 1)])
    path = write_video(tmp_path / "a.mp4", [images[k] for k in source], rate=shown, options={"crf": quality})
    # At its ends a stream is compressed more coarsely: a repeat may differ there.
    inner = [i for i in new_pictures(looked_at(path)) if 3 <= i < 57]
    assert inner == [i for i in range(3, 57) if source[i] != source[i - 1]]


@pytest.mark.parametrize("step", [0.05, 0.3, 3.0])
def test_motion_is_kept_however_slow(step: float):
    images = pan(1, [step * i for i in range(60)])
    assert new_pictures(seen(images)) == list(range(60))


def test_slow_motion_after_fast_motion_is_thinned_but_never_dropped():
    # 0.05 pixels a frame, 60 times: no two neighbours differ visibly, the first and the last do.
    lefts = [5.0 * i for i in range(30)] + [145 + 0.05 * i for i in range(1, 121)]
    kept = [i for i in new_pictures(seen(pan(2, lefts))) if i >= 30]
    assert len(kept) >= 4
    assert max(np.diff([lefts[i] for i in [29, *kept]])) < 2.5


def test_a_tripod_clip_keeps_its_frames():
    still = pan(3, [0.0])[0]
    assert new_pictures(seen([still] * 40)) == list(range(40))
    rng = np.random.default_rng(0)
    noisy = [np.clip(still + rng.normal(0, 4, still.shape), 0, 255).astype(np.uint8) for _ in range(40)]
    assert new_pictures(seen(noisy)) == list(range(40))


def test_a_small_thing_that_moves_is_something_new():
    still = pan(4, [0.0])[0]
    images = [still.copy() for _ in range(40)]
    for i, image in enumerate(images):
        image[60:80, 3 * i : 3 * i + 20] = 255
    assert new_pictures(seen(images)) == list(range(40))


def test_a_frozen_stretch_is_thinned_and_times_stay_true(tmp_path: Path):
    images = pan(5, [4.0 * i for i in range(60)])
    frozen = images[:30] + [images[29]] * 45 + images[30:]
    clip = load_clip(write_video(tmp_path / "a.mp4", frozen), ClipConfig(num_frames=15, duration=10.0))
    seconds = clip.seconds.numpy()
    assert np.sum((seconds > 29 / 30 - 1e-6) & (seconds < 74.5 / 30)) <= 2
    np.testing.assert_allclose(seconds, clip.frame_indices.numpy() / 30, atol=1e-6)
    # The other frames are spread evenly over what moves.
    moving = np.where(seconds > 1.5, seconds - 1.5, seconds)
    assert np.diff(moving).max() < 1.6 * np.diff(moving).mean()
    assert any("45 of 105 frames repeat" in note and "frozen in seconds 1.0-2.5" in note for note in clip.notes)
    assert seen_again(clip.frames.numpy()) == set()


def test_the_rate_that_remains_is_said(tmp_path: Path):
    images = pan(6, [6.0 * (i // 3) for i in range(72)])
    clip = load_clip(write_video(tmp_path / "a.mp4", images), ClipConfig(num_frames=9))
    assert any("48 of 72 frames repeat" in note and "10.0 different ones a second" in note for note in clip.notes)
    assert set((clip.frame_indices % 3).tolist()) == {0}


def test_standstills_end_with_the_next_new_picture():
    seconds = np.arange(40) / 10.0
    kept = [*range(10), *range(25, 40)]
    assert np.flatnonzero(standstills(seconds, kept)).tolist() == [9]
    live = live_seconds(seconds, kept)
    np.testing.assert_allclose(np.diff(live), 0.1)
    # Steady low rates are no standstills.
    assert not standstills(seconds, list(range(0, 40, 8))).any()


def test_frames_that_show_the_same_picture_twice():
    images = pan(7, [0.0, 5.0, 10.0, 5.0])
    assert seen_again(np.stack(images)) == {1, 3}
    assert picture_change(picture_of(images[0]), picture_of(images[0])) == 0.0
