"""Frames of a video are told from photos, and both get sensible times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.image_times import ImageTimes, image_times
from neoverse_ns.clip.load import load_clip
from neoverse_ns.clip.source import thumbnail_of
from tests.clip.moving_pictures import pan


def fill(folder: Path, names: list[str], step: float = 1.0, taken: list[str] | None = None) -> Path:
    """A folder of images of a pan; `taken` are capture times, "12:00:03.25"."""
    folder.mkdir()
    images = pan(40, [step * i for i in range(len(names))], width=int(330 + step * len(names)))
    for i, (name, image) in enumerate(zip(names, images, strict=True)):
        exif = Image.Exif()
        if taken is not None:
            second, _, fraction = taken[i].partition(".")
            exif.get_ifd(0x8769).update({0x9003: f"2026:03:01 {second}", 0x9291: fraction})
        Image.fromarray(image).save(folder / name, exif=exif)
    return folder


def times(folder: Path, rate: float | None = None) -> ImageTimes:
    return image_times(
        sorted(folder.iterdir()), rate, lambda path: thumbnail_of(np.asarray(Image.open(path).convert("RGB")))
    )


def test_frames_are_spaced_at_thirty_a_second_and_that_is_said(tmp_path: Path):
    found = times(fill(tmp_path / "f", [f"frame_{i:04d}.png" for i in range(5)]))
    np.testing.assert_allclose(found.seconds, np.arange(5) / 30)
    assert not found.photos
    assert "30 a second (--image-rate" in found.notes[0]
    np.testing.assert_allclose(times(tmp_path / "f", 12.0).seconds, np.arange(5) / 12)


def test_numbers_with_holes_keep_their_distance(tmp_path: Path):
    numbers = [0, 1, 2, 3, 4, 60, 61]
    clip = load_clip(fill(tmp_path / "f", [f"frame_{i:04d}.png" for i in numbers]), ClipConfig())
    np.testing.assert_allclose(clip.seconds, np.array(numbers) / 30)
    assert any("after frame_0004.png comes frame_0060.png" in note for note in clip.notes)


def test_numbers_count_in_their_own_steps(tmp_path: Path):
    every_sixth = times(fill(tmp_path / "a", [f"{i:03d}.png" for i in (0, 6, 12, 24)]))
    np.testing.assert_allclose(np.array(every_sixth.seconds) * 30, [0, 1, 2, 4])
    decimals = times(fill(tmp_path / "b", ["t_0.0.png", "t_0.5.png", "t_1.0.png", "t_2.5.png"]))
    np.testing.assert_allclose(np.array(decimals.seconds) * 30, [0, 1, 2, 5])
    stamps = times(
        fill(tmp_path / "c", [f"{1403636579763555584 + n}.png" for n in (0, 49999872, 100000000, 250000128)])
    )
    np.testing.assert_allclose(np.array(stamps.seconds) * 30, [0, 1, 2, 5], atol=0.01)


@pytest.mark.parametrize("name", ["IMG_{:04d}.jpg", "DSC{:05d}.JPG", "PXL_20260301_1200{:02d}.jpg", "P10{:05d}.jpg"])
def test_all_photos_are_used_spread_evenly(tmp_path: Path, name: str):
    folder = fill(tmp_path / "f", [name.format(i) for i in range(100)])
    clip = load_clip(folder, ClipConfig(num_frames=9))
    assert clip.frame_indices[[0, -1]].tolist() == [0, 99]
    assert np.ptp(np.diff(clip.frame_indices.numpy())) <= 1
    np.testing.assert_allclose(clip.seconds, clip.frame_indices.numpy() / 8)
    assert any("100 photos (named like" in note and "--image-rate" in note for note in clip.notes)


def test_capture_times_tell_photos(tmp_path: Path):
    taken = [f"12:{i // 20:02d}:{3 * i % 60:02d}" for i in range(30)]
    found = times(fill(tmp_path / "f", [f"{i:03d}.jpg" for i in range(30)], taken=taken))
    assert found.photos
    assert "taken 3.0 s apart" in found.notes[0]


def test_capture_times_tell_the_rate_of_a_burst(tmp_path: Path):
    taken = [f"12:00:{i // 10:02d}.{i % 10}" for i in range(21)]
    found = times(fill(tmp_path / "f", [f"IMG_{i:03d}.jpg" for i in range(21)], taken=taken))
    assert not found.photos
    np.testing.assert_allclose(found.seconds, np.arange(21) / 10)


def test_pictures_with_little_in_common_are_photos(tmp_path: Path):
    assert times(fill(tmp_path / "a", [f"{i}.png" for i in range(9)], step=120.0)).photos
    assert not times(fill(tmp_path / "b", [f"{i}.png" for i in range(9)], step=4.0)).photos
    assert not times(tmp_path / "a", 5.0).photos
