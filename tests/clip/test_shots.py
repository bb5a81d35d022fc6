"""Cuts are found where clips were joined, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.load import load_clip, open_source
from neoverse_ns.clip.shots import find_shots, unlikeness
from neoverse_ns.clip.source import THUMBNAIL_SIZE, SeenFrame, thumbnail_of
from neoverse_ns.errors import ClipError
from tests.clip.clip_makers import numbered, numbers_in, write_video
from tests.shared import shared_file

CONTINUOUS = [
    "car_turn",
    "dog",
    "forest_steps",
    "moving_hand",
    "night_crowd",
    "office_desk",
    "parked_cars",
    "people_walking",
    "rainy_lane",
    "robot",
    "room_depth",
    "shrine_path",
    "slot_canyon",
    "street_crossing",
    "street_stereo",
    "tree_and_building",
    "trulli_village",
]


def scene(seed: int, count: int, step: float = 2.0) -> list[np.ndarray]:
    """A window that pans over a large smooth random picture."""
    rng = np.random.default_rng(seed)
    width = 200 + int(step * count)
    wide = cv2.resize(rng.integers(0, 256, (12, width // 12, 3)).astype(np.uint8), (width, 128))
    return [wide[:, int(step * i) : int(step * i) + 192] for i in range(count)]


def seen(images: list[np.ndarray]) -> list[SeenFrame]:
    return [
        SeenFrame(i, i / 30, im.shape[1::-1], thumbnail_of(np.ascontiguousarray(im))) for i, im in enumerate(images)
    ]


def starts(images: list[np.ndarray]) -> list[int]:
    return [shot.start for shot in find_shots(seen(images))]


def test_no_frames_no_shots():
    assert find_shots([]) == []


def test_one_frame_is_one_shot():
    assert starts(scene(0, 1)) == [0]


def test_cuts_between_different_scenes():
    images = scene(1, 20) + scene(2, 7) + scene(3, 30)
    assert [(shot.start, shot.stop) for shot in find_shots(seen(images))] == [(0, 20), (20, 27), (27, 57)]


@pytest.mark.parametrize("step", [0.0, 3.0, 15.0, 40.0])
def test_panning_is_no_cut(step: float):
    assert starts(scene(4, 30, step)) == [0]


def test_flashes_are_no_cuts():
    images = scene(5, 30)
    for i in (8, 20, 21):
        images[i] = np.clip(images[i].astype(int) * 2 + 120, 0, 255).astype(np.uint8)
    images[14] = np.full_like(images[14], 255)
    assert starts(images) == [0]


def test_something_large_passing_is_no_cut():
    images = [image.copy() for image in scene(6, 30, 1.0)]
    for i in range(10, 20):
        images[i][:, :45] = (250, 250, 250)
    assert starts(images) == [0]


def test_exposure_drift_is_no_cut():
    images = [np.clip(image * (0.4 + 0.04 * i), 0, 255).astype(np.uint8) for i, image in enumerate(scene(7, 30))]
    assert starts(images) == [0]


def test_noise_in_the_dark_is_no_cut():
    rng = np.random.default_rng(8)
    assert starts([rng.integers(0, 6, (96, 128, 3)).astype(np.uint8) for _ in range(20)]) == [0]


def test_fade_through_black_parts_two_shots():
    def fade(images: list[np.ndarray], gains: np.ndarray) -> list[np.ndarray]:
        return [(image * gain).astype(np.uint8) for image, gain in zip(images, gains, strict=True)]

    first, second = scene(9, 30), scene(10, 30)
    images = first[:15] + fade(first[15:], np.linspace(1, 0, 15)) + [np.zeros_like(first[0])] * 6
    images += fade(second[:15], np.linspace(0, 1, 15)) + second[15:]
    shots = find_shots(seen(images))
    assert shots[0].stop in range(26, 31)
    assert shots[-1].start in range(36, 41)


def test_change_of_size_is_a_cut():
    frames = seen(scene(11, 10))
    turned = [SeenFrame(f.index, f.seconds, f.size[::-1], f.thumbnail) for f in frames[5:]]
    assert [shot.start for shot in find_shots(frames[:5] + turned)] == [0, 5]


def test_unlikeness_is_zero_for_equal_and_large_for_unrelated_pictures():
    first, second = (thumbnail_of(scene(seed, 1)[0]) for seed in (12, 13))
    assert first.shape[1::-1] == THUMBNAIL_SIZE
    assert unlikeness(first, first) < 1e-2
    assert unlikeness(first, second) > 0.6


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three shots of 20, 60 and 40 numbered frames."""
    counts = {21: range(20), 22: range(20, 80), 23: range(80, 120)}
    images = [numbered(i, seed=seed) for seed, numbers in counts.items() for i in numbers]
    return write_video(tmp_path_factory.mktemp("joined") / "a.mp4", images)


def test_longest_shot_is_the_default(joined: Path):
    clip = load_clip(joined, ClipConfig(num_frames=9, frame_rate=4.0))
    assert numbers_in(clip.frames) == clip.frame_indices.tolist()
    assert clip.frame_indices[[0, -1]].tolist() == [20, 79]
    assert clip.notes[0] == ("3 shots found, using the longest (#1, seconds 0.7-2.6); choose another with --shot")


def test_shot_by_number(joined: Path):
    clip = load_clip(joined, ClipConfig(num_frames=40, shot=2))
    assert clip.frame_indices.tolist() == list(range(80, 120))
    assert "3 shots found, using #2 (seconds 2.7-4.0)" in clip.notes[0]


def test_shots_are_looked_for_inside_start_and_duration(joined: Path):
    clip = load_clip(joined, ClipConfig(num_frames=100, start=2.0, duration=1.2))
    assert clip.frame_indices.tolist() == list(range(60, 80))
    clip = load_clip(joined, ClipConfig(num_frames=100, start=2.7))
    assert clip.frame_indices.tolist() == list(range(81, 120))


def test_shot_that_does_not_exist(joined: Path):
    with pytest.raises(ClipError, match=r"shot 3 does not exist, there are 3 .*#1 0\.7-2\.6"):
        load_clip(joined, ClipConfig(shot=3))


@pytest.mark.parametrize("name", CONTINUOUS)
def test_real_clips_are_one_shot(name: str):
    folder = shared_file(f"clips/{name}")
    path = folder / "clip.mp4" if (folder / "clip.mp4").exists() else folder / "images"
    # Five seconds keep this quick; cuts would be as likely in any other five.
    frames = [frame for frame in open_source(path, ClipConfig()).look(0.0, 5.0) if frame is not None]
    assert len(find_shots(frames)) == 1


def test_real_film_is_cut_where_it_was_edited():
    path = shared_file("clips/bikes") / "clip.mp4"
    frames = [frame for frame in open_source(path, ClipConfig()).look(0.0, 60.0) if frame is not None]
    # Checked by eye.
    assert [shot.start for shot in find_shots(frames)] == [0, 30, 76, 137, 187, 242]
