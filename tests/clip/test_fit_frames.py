"""Blank and fading frames are told from dark, bright and changing ones, and never become part of a clip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.fit_frames import blank_frames, faded_frames, unfit_frames
from neoverse_ns.clip.load import load_clip
from neoverse_ns.clip.shots import find_shots
from tests.clip.clip_makers import write_video
from tests.clip.moving_pictures import HEIGHT, WIDTH, pan, seen

IMAGES = pan(20, [1.0 * i for i in range(60)])
BLACK = np.zeros((HEIGHT, WIDTH, 3), np.uint8)


def mixed(images: list[np.ndarray], gains: np.ndarray, ground: int = 0) -> list[np.ndarray]:
    return [
        np.round(ground + g * (im.astype(float) - ground)).astype(np.uint8) for im, g in zip(images, gains, strict=True)
    ]


def unfit(images: list[np.ndarray]) -> list[int]:
    return np.flatnonzero(unfit_frames(seen(images))).tolist()


def test_black_and_plain_frames_are_blank():
    images = list(IMAGES)
    images[0] = images[6] = BLACK
    images[9] = np.full_like(BLACK, (200, 30, 90))
    assert np.flatnonzero(blank_frames(seen(images))).tolist() == [0, 6, 9]


@pytest.mark.parametrize("length", [10, 30, 45])
@pytest.mark.parametrize("ground", [0, 255])
def test_fades_in_and_out(length: int, ground: int):
    gains = np.ones(60)
    gains[:length] = np.linspace(0, 1, length)
    found = unfit(mixed(IMAGES, gains, ground))
    # Nothing that has less than nine tenths of its contrast stays, and nothing that has it all goes.
    assert set(np.flatnonzero(gains < 0.9)) <= set(found) <= set(np.flatnonzero(gains < 1))
    backwards = unfit(mixed(IMAGES, gains[::-1], ground))
    assert set(np.flatnonzero(gains[::-1] < 0.9)) <= set(backwards) <= set(np.flatnonzero(gains[::-1] < 1))


@pytest.mark.parametrize(
    "gains", [np.linspace(0.4, 1, 60), 1 - 0.6 * np.hanning(60), 0.7 + 0.3 * np.sin(np.arange(60))]
)
def test_drifting_and_flickering_light_is_no_fade(gains: np.ndarray):
    assert unfit(mixed(IMAGES, gains)) == []


def test_a_cut_from_black_is_no_fade():
    frames = seen([BLACK] * 3 + IMAGES)
    assert not faded_frames(frames, blank_frames(frames)).any()


def test_where_all_is_blank_nothing_is_left_out():
    assert unfit([BLACK] * 10) == []


def test_a_short_dip_to_black_parts_two_scenes_but_not_one():
    other = pan(21, [1.0 * i for i in range(40)])
    shots = find_shots(seen(IMAGES[:40] + [BLACK] * 2 + other))
    assert not any(shot.start < 40 and shot.stop > 42 for shot in shots)
    assert len(find_shots(seen(IMAGES[:30] + [BLACK] * 2 + IMAGES[32:]))) == 1


def test_a_clip_begins_where_its_fade_in_ends(tmp_path: Path):
    gains = np.minimum(np.arange(60) / 30, 1)
    clip = load_clip(write_video(tmp_path / "a.mp4", mixed(IMAGES, gains)), ClipConfig(num_frames=9))
    assert 27 <= int(clip.frame_indices[0]) <= 30
    assert any("show nothing or fade" in note and "seconds 0.0-0.9" in note for note in clip.notes)


def test_black_frames_inside_a_clip_are_left_out(tmp_path: Path):
    images = list(IMAGES)
    images[0] = images[30] = BLACK
    clip = load_clip(write_video(tmp_path / "a.mp4", images), ClipConfig(num_frames=60, duration=5.0))
    assert clip.frame_indices.tolist() == [i for i in range(60) if i not in (0, 30)]


def test_a_long_black_lead_is_not_the_longest_shot(tmp_path: Path):
    path = write_video(tmp_path / "a.mp4", [BLACK] * 90 + IMAGES)
    clip = load_clip(path, ClipConfig(num_frames=9))
    assert int(clip.frame_indices[0]) == 90
