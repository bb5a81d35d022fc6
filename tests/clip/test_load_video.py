"""Frames of videos: the right ones, at the right times, the right way up, whatever the container and codec."""

from __future__ import annotations

import gc
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.load import load_clip
from neoverse_ns.clip.upright import frame_orientation
from tests.clip.clip_makers import numbered, numbered_video, numbers_in, write_video


def test_default_frames_are_evenly_spaced_and_the_right_ones(tmp_path: Path):
    clip = load_clip(numbered_video(tmp_path / "a.mp4", 150), ClipConfig())
    # 25 frames at 8 per second last 3 s: frames 0 to 90 of 30 per second, every 3.75th, to the nearest.
    expected = np.linspace(0, 90, 25)
    assert np.abs(clip.frame_indices.numpy() - expected).max() <= 0.5
    assert numbers_in(clip.frames) == clip.frame_indices.tolist()
    torch.testing.assert_close(clip.seconds, clip.frame_indices.double() / 30, rtol=0, atol=1e-6)
    assert clip.frames.shape == (25, 96, 128, 3)
    assert clip.frames.dtype == torch.uint8
    assert any("using seconds 0.0-3.0 of 5.0" in note for note in clip.notes)


@pytest.mark.parametrize(("spacing", "step"), [(5, 4), (3, 3), (None, 2)])
def test_frames_are_as_far_apart_as_fits(tmp_path: Path, spacing: int | None, step: int):
    video = numbered_video(tmp_path / "a.mp4", 38)
    clip = load_clip(video, ClipConfig(num_frames=9, spacing=spacing, frame_rate=15.0))
    assert clip.frame_indices.tolist() == list(range(0, 8 * step + 1, step))
    assert numbers_in(clip.frames) == clip.frame_indices.tolist()
    assert any(f"using one frame in {step}" in note for note in clip.notes) == (spacing is not None)


def test_spaced_frames_begin_where_they_are_told_to(tmp_path: Path):
    video = numbered_video(tmp_path / "a.mp4", 38)
    for offset, begin in ((0.0, 0), (0.5, 3), (1.0, 5)):
        clip = load_clip(video, ClipConfig(num_frames=9, spacing=5, spacing_offset=offset))
        assert clip.frame_indices.tolist() == list(range(begin, begin + 33, 4))
        assert numbers_in(clip.frames) == clip.frame_indices.tolist()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {"options": {"bf": "3", "g": "12"}}),
        ("a.mov", {"codec": "mpeg4"}),
        ("a.mkv", {"codec": "libx265", "pixels": "yuv420p10le"}),
        ("a.webm", {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8"}}),
        ("a.gif", {"codec": "gif", "pixels": "rgb8", "rate": 25}),
        ("a.avi", {"codec": "mpeg4", "options": {"bf": "2"}}),
        ("alpha.mov", {"codec": "qtrle", "pixels": "argb"}),
    ],
)
def test_every_container_gives_the_frames_it_holds(tmp_path: Path, name: str, options: dict):
    codec = options.get("codec", "libx264")
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no {codec}")
    path = numbered_video(tmp_path / name, 40, **options)
    clip = load_clip(path, ClipConfig(start=0.4, duration=0.8, num_frames=9))
    rate = options.get("rate", 30)
    expected = np.linspace(np.ceil(0.4 * rate), np.floor(1.2 * rate), 9)
    assert np.abs(clip.frame_indices.numpy() - expected).max() <= 0.5
    assert numbers_in(clip.frames) == clip.frame_indices.tolist()


def test_variable_frame_rate_is_sampled_evenly_in_time(tmp_path: Path):
    # A second at 40 frames per second, a second at 5, a second at 40.
    stamps = [*range(0, 1000, 25), *range(1000, 2000, 200), *range(2000, 3000, 25)]
    path = write_video(tmp_path / "a.mkv", [numbered(i) for i in range(len(stamps))], stamps=stamps)
    clip = load_clip(path, ClipConfig(num_frames=13, duration=10.0))
    wanted = np.linspace(0, stamps[-1], 13)
    nearest = [int(np.abs(np.array(stamps) - t).argmin()) for t in wanted]
    assert numbers_in(clip.frames) == nearest == clip.frame_indices.tolist()
    torch.testing.assert_close(
        clip.seconds, torch.tensor([stamps[i] / 1000 for i in nearest]).double(), rtol=0, atol=1e-5
    )


def test_first_time_stamp_is_not_zero(tmp_path: Path):
    stamps = [5000 + 40 * i for i in range(30)]
    path = write_video(tmp_path / "a.mkv", [numbered(i) for i in range(30)], stamps=stamps)
    clip = load_clip(path, ClipConfig(start=0.4, duration=0.4, num_frames=11))
    assert numbers_in(clip.frames) == list(range(10, 21))
    torch.testing.assert_close(clip.seconds, torch.arange(10, 21).double() * 0.04, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("rotation", "flip"), [(90, False), (180, False), (270, False), (0, True), (90, True)])
def test_rotation_metadata_turns_frames_upright(tmp_path: Path, rotation: int, flip: bool):
    upright = numbered(77, 128, 128)
    upright[100:, :30] = (250, 20, 20)
    # The container turns counter-clockwise, then mirrors: store the picture turned the other way.
    stored = np.rot90(upright[:, ::-1] if flip else upright, -rotation // 90)
    path = write_video(tmp_path / "a.mp4", [stored] * 3, rotation=rotation, flip=flip)
    clip = load_clip(path, ClipConfig())
    assert numbers_in(clip.frames) == [77] * 3
    assert np.abs(clip.frames[0].numpy().astype(int) - upright).mean() < 6


def test_frames_are_freed_as_soon_as_they_are_done_with(tmp_path: Path):
    path = write_video(tmp_path / "a.mp4", [numbered(i) for i in range(12)], rotation=90)

    def alive() -> int:
        return sum(isinstance(thing, av.VideoFrame) for thing in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = alive()
        with av.open(str(path)) as container:
            assert {frame_orientation(frame) for frame in container.decode(video=0)} == {(0, -1, 1, 0)}
        assert alive() == before
    finally:
        gc.enable()


def test_turned_video_swaps_width_and_height(tmp_path: Path):
    stored = [np.rot90(numbered(i, 96, 160), 1) for i in range(3)]
    clip = load_clip(write_video(tmp_path / "a.mp4", stored, rotation=270), ClipConfig())
    assert clip.frames.shape == (3, 160, 96, 3)
    assert clip.source_size == (96, 160)
    assert numbers_in(clip.frames) == [0, 1, 2]


def test_pixels_that_are_not_square_are_stretched(tmp_path: Path):
    path = numbered_video(tmp_path / "a.mp4", 3, size=(96, 96), aspect=Fraction(4, 3))
    clip = load_clip(path, ClipConfig())
    assert clip.source_size == (128, 96)
    assert clip.frames.shape == (3, 96, 128, 3)
    assert numbers_in(clip.frames) == [0, 1, 2]


def test_odd_sizes(tmp_path: Path):
    path = numbered_video(tmp_path / "a.mkv", 4, size=(131, 99), pixels="yuv444p")
    clip = load_clip(path, ClipConfig())
    assert clip.frames.shape == (4, 96, 128, 3)
    assert clip.source_size == (131, 99)


@pytest.mark.parametrize("count", [1, 2])
def test_very_short_videos_load(tmp_path: Path, count: int):
    clip = load_clip(numbered_video(tmp_path / "a.mp4", count), ClipConfig())
    assert clip.frame_indices.tolist() == list(range(count))
    assert len(clip.times) == count
    assert any("fewer than the 25 wanted" in note for note in clip.notes)


def test_more_frames_than_there_are(tmp_path: Path):
    clip = load_clip(numbered_video(tmp_path / "a.mp4", 12), ClipConfig(num_frames=500))
    assert numbers_in(clip.frames) == list(range(12))
    assert "using all 12 frames there are, fewer than the 500 wanted" in clip.notes


def test_slow_source_is_used_longer_rather_than_with_fewer_frames(tmp_path: Path):
    clip = load_clip(numbered_video(tmp_path / "a.mp4", 20, rate=2), ClipConfig(num_frames=9))
    assert clip.frame_indices.tolist() == list(range(9))


def test_cuda_defaults(tmp_path: Path):
    clip = load_clip(numbered_video(tmp_path / "a.mp4", 100, size=(640, 320)), ClipConfig(), device="cuda")
    assert clip.frames.shape == (81, 288, 560, 3)


def test_seconds_far_into_a_long_video_are_exact(tmp_path: Path):
    # Numbers wrap after 256 frames, which 25 frames per second reach well before second 30.
    images = [numbered(i % 256, 64, 48) for i in range(900)]
    path = write_video(tmp_path / "a.mp4", images, rate=25, options={"bf": "2", "g": "48"})
    clip = load_clip(path, ClipConfig(start=30.0, duration=1.0, num_frames=26))
    assert clip.frame_indices.tolist() == list(range(750, 776))
    assert numbers_in(clip.frames) == [i % 256 for i in range(750, 776)]
    torch.testing.assert_close(clip.seconds, clip.frame_indices.double() / 25, rtol=0, atol=1e-6)


def test_two_loads_are_equal(tmp_path: Path):
    path = numbered_video(tmp_path / "a.mp4", 60)
    config = ClipConfig(start=0.5, num_frames=8)
    assert load_clip(path, config).digest() == load_clip(path, config).digest()


def test_names_with_brackets_and_colons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    numbered_video(tmp_path / "plain.mp4", 3).rename(tmp_path / "a:[bold] ü.mp4")
    assert len(load_clip(Path("a:[bold] ü.mp4"), ClipConfig())) == 3
