"""Bars beside the picture: found to the line, told from dark and plain parts of the picture itself."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy import ndarray

from neoverse_ns.clip.borders import Borders, find_borders
from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.load import load_clip
from tests.shared import shared_file

HEIGHT, WIDTH = 120, 200


def moving_texture(height: int = HEIGHT, width: int = WIDTH, frames: int = 6) -> ndarray:
    """A soft random picture that slides past."""
    cells = np.random.default_rng(0).integers(0, 255, (height // 5 + 2, width // 5 + 20, 3)).astype(np.uint8)
    wide = cv2.resize(cells, None, fx=5, fy=5, interpolation=cv2.INTER_CUBIC)
    return np.stack([wide[:height, 9 * i : 9 * i + width] for i in range(frames)])


def barred(box: tuple[int, int, int, int], colour: int = 0, noise: float = 1.0) -> ndarray:
    """Frames that show the picture only inside a box, with some noise on everything."""
    x, y, w, h = box
    frames = np.full((6, HEIGHT, WIDTH, 3), float(colour))
    frames[:, y : y + h, x : x + w] = moving_texture(h, w)
    frames += np.random.default_rng(1).normal(0, noise, frames.shape)
    return frames.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("colour", [0, 40, 255])
@pytest.mark.parametrize(
    "box", [(0, 20, 200, 80), (60, 0, 80, 120), (30, 16, 140, 88), (0, 0, 170, 120), (0, 9, 200, 111)]
)
def test_plain_bars_are_found(box: tuple[int, int, int, int], colour: int) -> None:
    found = find_borders(barred(box, colour))
    assert found is not None
    assert found.kinds == ("plain",)
    assert np.abs(np.array(found.box) - box).max() <= 1


def test_a_line_of_text_in_a_bar_does_not_hide_it() -> None:
    frames = barred((0, 0, 200, 84))
    for number, frame in enumerate(frames):
        cv2.putText(frame, f"words {number}", (60, 108), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1)
    found = find_borders(frames)
    assert found is not None
    assert found.box == (0, 0, 200, 84)


@pytest.mark.parametrize("upright", [False, True])
def test_blurred_copies_beside_the_picture_are_found(upright: bool) -> None:
    picture = moving_texture(HEIGHT, 80)
    wide = [cv2.GaussianBlur(cv2.resize(f, (200, 300))[90:210], (0, 0), 8) for f in picture]
    frames = np.stack(wide)
    frames[:, :, 60:140] = picture
    frames = frames.transpose(0, 2, 1, 3) if upright else frames
    found = find_borders(np.ascontiguousarray(frames))
    assert found is not None
    assert found.kinds == ("blurred",)
    expected = (0, 61, 120, 78) if upright else (61, 0, 78, 120)
    assert np.abs(np.array(found.box) - expected).max() <= 1


def test_pictures_without_bars_stay_whole() -> None:
    assert find_borders(moving_texture()) is None
    # A night sky: as dark as a bar, with a ragged end.
    night = moving_texture()
    ragged = 40 + 15 * np.sin(np.arange(WIDTH) / 9)
    night[:, np.arange(HEIGHT)[:, None] < ragged] = 0
    assert find_borders(night) is None
    # Nothing but one colour; a soft picture with one straight edge in it.
    assert find_borders(np.zeros((4, HEIGHT, WIDTH, 3), np.uint8)) is None
    soft = np.stack([cv2.GaussianBlur(f, (0, 0), 9) for f in moving_texture()])
    soft[:, :, 100:] //= 2
    assert find_borders(soft) is None


def test_bars_that_come_and_go_are_none() -> None:
    frames = barred((0, 20, 200, 80))
    frames[2:] = moving_texture()[2:]
    assert find_borders(frames) is None


def test_tiny_pictures_are_not_searched() -> None:
    assert find_borders(np.zeros((3, 16, 300, 3), np.uint8)) is None


def test_outside_is_everything_else() -> None:
    mask = Borders((2, 1, 5, 3), ("plain",)).outside(6, 9)
    assert mask.sum() == 6 * 9 - 15
    assert not mask[1:4, 2:7].any()


@pytest.mark.parametrize("name", ["night_crowd", "rainy_lane", "slot_canyon", "bikes", "car_turn"])
def test_real_clips_keep_their_edges(name: str) -> None:
    clip = load_clip(shared_file(f"clips/{name}/clip.mp4"), ClipConfig(width=160, num_frames=6, duration=2.0))
    assert clip.crop is None
