"""Dissolves part two shots; light, movement and flashes do not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.dissolves import find_dissolves
from neoverse_ns.clip.load import load_clip
from neoverse_ns.clip.shots import find_shots
from tests.clip.clip_makers import write_video
from tests.clip.moving_pictures import dissolved, pan, seen


@pytest.mark.parametrize("length", [12, 24, 30, 36])
@pytest.mark.parametrize("speed", [0.3, 1.2])
def test_the_frames_of_a_dissolve_belong_to_neither_shot(length: int, speed: float):
    first, second = (pan(seed, [speed * i for i in range(75)]) for seed in (30, 31))
    (found,) = find_dissolves(seen(dissolved(first, second, length)))
    # What is left of either shot has nothing of the other; up to half a second more may be lost.
    assert 75 - length - 14 <= found.start <= 75 - length + 1
    assert 75 - 1 <= found.stop <= 75 + 14
    shots = find_shots(seen(dissolved(first, second, length)))
    assert shots == [range(found.start), range(found.stop, 150 - length)]


@pytest.mark.parametrize("speed", [0.0, 2.0, 8.0, 20.0])
def test_a_moving_camera_dissolves_nothing(speed: float):
    images = pan(32, [speed * i for i in range(90)], width=2200)
    assert find_dissolves(seen(images)) == []


def test_light_that_changes_dissolves_nothing():
    images = pan(33, [3.0 * i for i in range(90)])
    ramp = [np.clip(im * (0.4 + i / 90) - 20 + 60 * i / 90, 0, 255).astype(np.uint8) for i, im in enumerate(images)]
    flicker = [np.clip(im * (1 + 0.4 * np.sin(2.1 * i)), 0, 255).astype(np.uint8) for i, im in enumerate(images)]
    flash = list(images)
    flash[40] = flash[41] = np.clip(images[40].astype(int) + 150, 0, 255).astype(np.uint8)
    fade = [(im * min(1, abs(i - 45) / 20)).astype(np.uint8) for i, im in enumerate(images)]
    for changed in (ramp, flicker, flash, fade):
        assert find_dissolves(seen(changed)) == []


def test_a_cut_is_no_dissolve():
    images = pan(34, [3.0 * i for i in range(45)]) + pan(35, [3.0 * i for i in range(45)])
    assert find_dissolves(seen(images)) == []


def test_a_clip_ends_before_the_dissolve_and_says_so(tmp_path: Path):
    first, second = (pan(seed, [1.0 * i for i in range(count)]) for seed, count in ((36, 80), (37, 60)))
    path = write_video(tmp_path / "a.mp4", dissolved(first, second, 24))
    clip = load_clip(path, ClipConfig(num_frames=16))
    assert 50 <= int(clip.frame_indices[-1]) <= 57
    assert "2 shots found" in clip.notes[0]
    assert "in dissolves belong to none" in clip.notes[0]
