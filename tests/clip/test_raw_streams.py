"""Videos without time stamps are spaced as they state, or as the user does."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.load import load_clip
from tests.clip.clip_makers import numbered, numbers_in, write_video


def raw(path: Path, codec: str, rate: int) -> Path:
    return write_video(path, [numbered(i) for i in range(40)], codec=codec, rate=rate)


@pytest.mark.parametrize("rate", [30, 50])
@pytest.mark.parametrize(("name", "codec"), [("a.h264", "libx264"), ("a.m2v", "mpeg2video")])
def test_the_rate_of_the_stream_counts(tmp_path: Path, name: str, codec: str, rate: int):
    clip = load_clip(raw(tmp_path / name, codec, rate), ClipConfig(num_frames=9, duration=0.5))
    np.testing.assert_allclose(clip.seconds, clip.frame_indices.numpy() / rate, atol=1e-6)
    assert numbers_in(clip.frames) == clip.frame_indices.tolist()
    assert any(f"at {rate} a second, as it states itself" in note for note in clip.notes)


def test_the_user_knows_better(tmp_path: Path):
    clip = load_clip(raw(tmp_path / "a.h264", "libx264", 30), ClipConfig(num_frames=5, duration=1.0, image_rate=10.0))
    np.testing.assert_allclose(clip.seconds, clip.frame_indices.numpy() / 10)
    assert any("at 10 a second, as --image-rate says" in note for note in clip.notes)


def test_what_states_no_rate_is_said_to_be_assumed(tmp_path: Path):
    pictures = [cv2.imencode(".jpg", numbered(i)[..., ::-1])[1].tobytes() for i in range(30)]
    (tmp_path / "a.mjpeg").write_bytes(b"".join(pictures))
    clip = load_clip(tmp_path / "a.mjpeg", ClipConfig(num_frames=5, duration=1.0))
    np.testing.assert_allclose(clip.seconds, clip.frame_indices.numpy() / 25)
    assert any("at 25 a second, which is assumed" in note for note in clip.notes)


def test_times_of_the_container_are_kept_whatever_rate_is_given(tmp_path: Path):
    clip = load_clip(raw(tmp_path / "a.mp4", "libx264", 30), ClipConfig(num_frames=5, image_rate=10.0))
    np.testing.assert_allclose(clip.seconds, clip.frame_indices.numpy() / 30, atol=1e-6)
    assert not any("time stamps" in note for note in clip.notes)
