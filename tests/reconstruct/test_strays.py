"""Frames that nothing links to the rest are found before frames are divided, and only those."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.reconstruct import strays as module
from neoverse_ns.reconstruct.strays import find_strays, without_strays
from tests.clip.moving_pictures import HEIGHT, WIDTH, pan


def pocket(seed: int) -> np.ndarray:
    """Soft blobs with the noise of a sensor."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(60, 140, (4, 5, 3)).astype(np.uint8)
    blobs = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.clip(blobs + rng.normal(0, 8, blobs.shape), 0, 255).astype(np.uint8)


def frames(step: float, strangers: dict[int, np.ndarray], count: int = 10) -> np.ndarray:
    images = pan(50, [step * i for i in range(count)], width=int(330 + step * count))
    for place, image in strangers.items():
        images[place] = image
    return np.stack(images)


@pytest.mark.parametrize("step", [2.0, 60.0])
def test_none_where_all_are_linked(step: float) -> None:
    assert find_strays(frames(step, {})) == []


@pytest.mark.parametrize("step", [4.0, 40.0])
@pytest.mark.parametrize("places", [[5], [0], [9], [3, 7], [4, 5]])
def test_pocket_shots_and_other_places(step: float, places: list[int]) -> None:
    other = pan(51, [0.0])[0]
    assert find_strays(frames(step, {place: pocket(place) for place in places})) == places
    assert find_strays(frames(step, {places[0]: other})) == places[:1]


def test_black_frames_are_strays() -> None:
    black = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    assert find_strays(frames(5.0, {0: black, 6: black})) == [0, 6]


def test_sets_that_hardly_hang_together_are_left_to_the_solve() -> None:
    assert find_strays(np.stack([pan(60 + i, [0.0])[0] for i in range(8)])) == []


def test_another_place_of_several_frames_is_no_stray() -> None:
    second = pan(52, [4.0 * i for i in range(4)])
    assert find_strays(np.concatenate([frames(4.0, {}), np.stack(second)])) == []


def test_a_clip_goes_on_without_them_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(module, "warn", said.append)
    images = torch.from_numpy(frames(5.0, {5: pocket(0)}))
    ignored = torch.zeros(10, HEIGHT, WIDTH, dtype=torch.bool)
    ignored[6] = True
    clip = Clip(images, torch.arange(10) * 3, torch.arange(10).double() / 8, Path("a.mp4"), ("known",), None, ignored)
    rest = without_strays(clip)
    assert rest.frame_indices.tolist() == [0, 3, 6, 9, 12, 18, 21, 24, 27]
    torch.testing.assert_close(rest.seconds, rest.frame_indices.double() / 24)
    assert rest.ignored is not None
    assert rest.ignored.flatten(1).all(1).nonzero().flatten().tolist() == [5]
    assert rest.notes == ("known", *said)
    assert "1 of 10 frames (second 0.6)" in said[0]
    assert without_strays(rest) is rest
