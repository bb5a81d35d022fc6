"""Frames between the sampled ones: the right ones, in the right grey, never more than there is room for."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from neoverse_ns.clip import between
from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.load import load_clip
from neoverse_ns.clip.store import load_saved_clip, save_clip
from neoverse_ns.clip.tracking_frames import TrackingFrames
from tests.clip.clip_makers import number_in, numbered, numbered_video, write_video
from tests.clip.moving_pictures import pan
from tests.clip.test_borders import barred
from tests.clip.test_colour import codes_of, picture, write_tagged
from tests.clip.test_open_source import animation
from tests.clip.test_video_pictures import alpha_video, interlaced_video
from tests.clip.view.test_views_of_clips import pair_video, turning


def tracked(path: Path, **settings: Any) -> tuple[Clip, TrackingFrames]:
    clip = load_clip(path, ClipConfig(**settings), tracking=True)
    assert clip.tracking is not None
    return clip, clip.tracking


def grey_numbers(frames: TrackingFrames) -> list[int]:
    return [number_in(picture[..., None]) for picture in frames.grey]


def in_between(clip: Clip, count: int) -> list[int]:
    """Frames of the source strictly between the first and the last sampled one, those sampled left out."""
    sampled = clip.frame_indices.tolist()
    return [i for i in range(count) if sampled[0] < i < sampled[-1] and i not in sampled]


def test_all_frames_between_the_sampled_ones_are_read_once(tmp_path: Path):
    path = numbered_video(tmp_path / "a.mp4", 150)
    clip, between_them = tracked(path)
    assert between_them.frame_indices.tolist() == in_between(clip, 150)
    assert len(between_them) == 91 - 25
    assert grey_numbers(between_them) == between_them.frame_indices.tolist()
    torch.testing.assert_close(between_them.seconds, between_them.frame_indices.double() / 30, rtol=0, atol=1e-6)
    assert between_them.grey.dtype == torch.uint8
    plain = load_clip(path, ClipConfig())
    assert plain.tracking is None
    # What is sampled does not depend on what else is read.
    assert torch.equal(plain.frames, clip.frames)
    assert (plain.digest(), plain.notes) == (clip.digest(), clip.notes)


def test_grey_is_what_another_reader_makes_of_the_frame(tmp_path: Path):
    path = write_video(tmp_path / "a.mp4", [image[:160] for image in pan(62, [3.0 * i for i in range(30)])])
    clip, between_them = tracked(path, num_frames=7, duration=1.0, width=160)
    assert clip.frames.shape == (7, 80, 160, 3)
    with av.open(str(path)) as container:
        decoded = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    for grey, index in zip(between_them.grey.numpy(), between_them.frame_indices.tolist(), strict=True):
        # Half as wide and high: every pixel is the mean of four.
        halved = np.rint(decoded[index].reshape(80, 2, 160, 2, 3).mean(axis=(1, 3)))
        luma = halved @ [0.299, 0.587, 0.114]
        assert np.abs(grey - luma).max() < 2
        assert np.abs(grey - luma).mean() < 0.5


def barred_video(path: Path) -> Path:
    frames = np.stack([barred((60, 0, 80, 120))[i % 6] for i in range(6)])
    return write_video(path, list(frames), options={"crf": "10"})


def turned_video(path: Path) -> Path:
    return numbered_video(path, 6, rotation=90)


SOURCES: dict[str, tuple[Callable[[Path], Path], dict[str, Any]]] = {
    "a.mp4": (lambda path: numbered_video(path, 6), {}),
    "tall.mp4": (turned_video, {}),
    "odd.mp4": (lambda path: numbered_video(path, 6, size=(196, 122)), {"width": 112}),
    "barred.mp4": (barred_video, {}),
    "cropped.mp4": (lambda path: numbered_video(path, 6, size=(256, 192)), {"crop": "20,10,160,100", "width": 96}),
    "woven.mp4": (lambda path: interlaced_video(path, 6), {}),
    "clear.mkv": (lambda path: alpha_video(path, "ffv1", "yuva420p", count=6), {"width": 64}),
    "pair.mp4": (lambda path: pair_video(path, 10, 60, count=6), {"view": "right"}),
    "sphere.mp4": (lambda path: write_video(path, turning(6)), {}),
    "a.webp": (animation, {}),
    "a.gif": (animation, {}),
}


@pytest.mark.parametrize("name", SOURCES)
def test_grey_is_that_of_the_frame_if_it_were_sampled(tmp_path: Path, name: str):
    make, settings = SOURCES[name]
    path = make(tmp_path / name)
    whole = load_clip(path, ClipConfig(num_frames=6, duration=10.0, **settings))
    assert len(whole) == 6
    clip, between_them = tracked(path, num_frames=2, duration=10.0, **settings)
    assert clip.crop == whole.crop
    assert clip.frame_indices.tolist() == [0, 5]
    assert between_them.frame_indices.tolist() == [1, 2, 3, 4]
    assert torch.equal(between_them.seconds, whole.seconds[1:5])
    for grey, frame in zip(between_them.grey.numpy(), whole.frames.numpy()[1:5], strict=True):
        np.testing.assert_array_equal(grey, cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY))


def test_hdr_is_converted_at_less_cost_and_looks_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from neoverse_ns.clip import frame_pixels

    converted: list[tuple[int, ...]] = []
    convert = frame_pixels.to_sdr
    monkeypatch.setattr(
        frame_pixels, "to_sdr", lambda codes, *a: converted.append(codes.shape[:2]) or convert(codes, *a)
    )
    path = write_tagged(tmp_path / "a.mkv", codes_of(picture(960, 768), "pq", "bt2020"), 16, 9, 9, frames=3)
    clip, between_them = tracked(path, num_frames=2, duration=10.0, width=80)
    # Twice of 80 x 64, and one and a half times of it, in whole parts of the source.
    assert converted == [(128, 160), (96, 120), (128, 160)]
    off = between_them.grey[0].numpy().astype(float) - cv2.cvtColor(clip.frames[0].numpy(), cv2.COLOR_RGB2GRAY)
    assert np.abs(off).max() <= 4
    assert np.abs(off).mean() < 1


@pytest.mark.parametrize(("name", "start"), [("a.mkv", 0.0), ("a.mkv", 12.0), ("a.avi", 0.0)])
def test_variable_rates_and_far_starts(tmp_path: Path, name: str, start: float):
    # Frames come 40 a second, then 5 a second, by turns, in the container that has times.
    options: dict = {"options": {"g": "20"}}
    if name == "a.mkv":
        options["stamps"] = np.cumsum([25 if i // 40 % 2 else 200 for i in range(240)]).tolist()
    path = numbered_video(tmp_path / name, 240, codec="mpeg4", **options)
    clip, between_them = tracked(path, start=start, duration=3.0, num_frames=9)
    indices = between_them.frame_indices.tolist()
    assert grey_numbers(between_them) == indices
    assert not set(indices) & set(clip.frame_indices.tolist())
    assert clip.seconds[0] < between_them.seconds[0]
    assert between_them.seconds[-1] < clip.seconds[-1]
    assert bool((between_them.seconds.diff() > 0).all())


def test_fast_cameras_are_thinned_evenly_and_that_is_said(tmp_path: Path):
    path = numbered_video(tmp_path / "a.mp4", 241, rate=240)
    clip, between_them = tracked(path, num_frames=9)
    gaps = np.diff(np.searchsorted(between_them.frame_indices.numpy(), clip.frame_indices.numpy()))
    assert gaps.tolist() == [8] * (len(clip) - 1)
    steps = np.diff(np.sort(np.concatenate([clip.frame_indices.numpy(), between_them.frame_indices.numpy()])))
    # 29 frames between two: every third or fourth of them.
    assert len(clip) == 9
    assert set(steps.tolist()) == {3, 4}
    said = [note for note in clip.notes if "to follow what moves" in note]
    assert said == [
        "of 232 frames of the source between the sampled ones 64 are used to follow what moves (at most 8 between two)"
    ]


@pytest.mark.parametrize(("room", "most"), [(48, 2), (24, 1), (200, 3), (23, 0)])
def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int, most: int):
    monkeypatch.setattr(between, "MOST_BYTES", room * 128 * 96 + 100)
    clip = load_clip(numbered_video(tmp_path / "a.mp4", 150), ClipConfig(), tracking=True)
    said = [note for note in clip.notes if "to follow what moves" in note]
    if most == 0:
        assert clip.tracking is None
        assert said[0].endswith("0 are used to follow what moves (one between every two would take too much memory)")
        return
    assert clip.tracking is not None
    assert clip.tracking.grey.numel() <= room * 128 * 96
    gaps = np.diff(np.searchsorted(clip.tracking.frame_indices.numpy(), clip.frame_indices.numpy()))
    assert gaps.max() == most
    assert gaps.min() == min(most, 2)
    assert bool(said) == (most < 3)


def test_repeated_blank_and_foreign_frames_are_never_among_them(tmp_path: Path):
    # Every picture three times, as of 20 a second shown 60 times a second; a black one inside, and another shot behind.
    images = [image for image in pan(60, [4.0 * i for i in range(40)]) for _ in range(3)]
    images[61:63] = [np.zeros_like(images[0])] * 2
    images += pan(61, [3.0 * i for i in range(30)])
    path = write_video(tmp_path / "a.mp4", images, rate=60, options={"crf": "12"})
    _, between_them = tracked(path, num_frames=8, duration=10.0)
    indices = between_them.frame_indices.tolist()
    assert max(indices) < 120
    assert not {61, 62} & set(indices)
    assert all(b - a >= 2 for a, b in itertools.pairwise(indices))
    assert len(indices) >= 28


def folder(path: Path, count: int, name: str = "frame_{:04d}.png") -> Path:
    path.mkdir()
    for number in range(count):
        Image.fromarray(numbered(number)).save(path / name.format(number))
    return path


def test_folders_of_frames_have_them_where_most_are_not_sampled(tmp_path: Path):
    clip, between_them = tracked(folder(tmp_path / "many", 60))
    assert between_them.frame_indices.tolist() == in_between(clip, 60)
    assert grey_numbers(between_them) == between_them.frame_indices.tolist()
    assert load_clip(folder(tmp_path / "few", 40), ClipConfig(), tracking=True).tracking is None
    photos = folder(tmp_path / "photos", 60, "IMG_{:04d}.png")
    assert load_clip(photos, ClipConfig(), tracking=True).tracking is None
    told = ClipConfig(image_rate=30.0)
    assert load_clip(photos, told, tracking=True).num_tracking == len(between_them)


@pytest.mark.parametrize("count", [1, 2, 25])
def test_where_all_is_sampled_there_are_none(tmp_path: Path, count: int):
    assert load_clip(numbered_video(tmp_path / "a.mp4", count), ClipConfig(), tracking=True).tracking is None


def test_a_saved_clip_has_none_and_a_part_keeps_them(tmp_path: Path):
    clip, between_them = tracked(numbered_video(tmp_path / "a.mp4", 40), num_frames=5, duration=10.0)
    assert clip.num_tracking == len(between_them) > 20
    part = clip.part([0, 2, 4])
    assert part.tracking is between_them
    save_clip(clip, tmp_path / "saved")
    saved = load_saved_clip(tmp_path / "saved")
    assert saved.tracking is None
    assert saved.num_tracking == 0
    assert saved.digest() == clip.digest()
    assert len(list((tmp_path / "saved").iterdir())) == 6


def test_some_of_them():
    grey = torch.arange(5, dtype=torch.uint8)[:, None, None].expand(5, 2, 3)
    frames = TrackingFrames(grey, torch.arange(5).double() / 10, torch.arange(5) * 3)
    some = frames.part([1, 4])
    assert some.frame_indices.tolist() == [3, 12]
    assert some.seconds.tolist() == [0.1, 0.4]
    assert some.grey[:, 0, 0].tolist() == [1, 4]
