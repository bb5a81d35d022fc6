"""Every way in which a video can be unusable gives one clear line; what can be used is used."""

from __future__ import annotations

import os
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.load import load_clip
from neoverse_ns.errors import ClipError
from tests.clip.clip_makers import numbered, numbered_video, numbers_in, write_video


def write_sound(path: Path, picture: bool = False) -> Path:
    """A second of silence, with a cover picture where `picture` is set."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48000)
        cover = container.add_stream("png", rate=1) if picture else None
        if cover is not None:
            cover.width, cover.height, cover.pix_fmt = 64, 64, "rgb24"
            cover.disposition = Disposition.attached_pic.value
            container.mux(cover.encode(av.VideoFrame.from_ndarray(numbered(3, 64, 64), format="rgb24")))
        for start in range(0, 48000, 1024):
            frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = 48000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def refused(path: Path, match: str, config: ClipConfig | None = None) -> None:
    with pytest.raises(ClipError, match=match) as caught:
        load_clip(path, config or ClipConfig())
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_missing_file(tmp_path: Path):
    refused(tmp_path / "no.mp4", "no such file or folder")


def test_impossible_names(tmp_path: Path):
    refused(tmp_path / ("x" * 300), "cannot be looked at")
    (tmp_path / "file").touch()
    refused(tmp_path / "file" / "a.mp4", "no such file or folder")


def test_empty_file(tmp_path: Path):
    path = tmp_path / "a.mp4"
    path.touch()
    refused(path, "the file is empty")


@pytest.mark.parametrize("suffix", ["txt", "mp4", "srt", "json", "nfo", "py", "m3u8"])
def test_text_file(tmp_path: Path, suffix: str):
    path = tmp_path / f"a.{suffix}"
    path.write_text("1\n00:00:00,000 --> 00:00:01,000\nnot a video\n" * 50)
    refused(path, "not a video|no video|no picture")


def test_random_bytes(tmp_path: Path):
    path = tmp_path / "a.mp4"
    path.write_bytes(np.random.default_rng(0).bytes(50_000))
    refused(path, "not a video, or damaged or truncated|no frame could be decoded|no picture")


def test_playlist_cannot_reach_elsewhere(tmp_path: Path):
    numbered_video(tmp_path / "a.mp4", 3)
    path = tmp_path / "list.m3u8"
    path.write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
    refused(path, "not a video|no video|no frame|no picture")


@pytest.mark.parametrize("picture", [False, True])
def test_sound_without_video(tmp_path: Path, picture: bool):
    refused(write_sound(tmp_path / ("a.mkv" if not picture else "a.mp4"), picture), "only sound")


def test_video_with_sound_is_fine(tmp_path: Path):
    silent = numbered_video(tmp_path / "silent.mp4", 10)
    sound = write_sound(tmp_path / "sound.m4a")
    with av.open(str(tmp_path / "a.mkv"), "w") as out, av.open(str(silent)) as video, av.open(str(sound)) as audio:
        sources = [(audio, audio.streams.audio[0]), (video, video.streams.video[0])]
        copies = [out.add_stream_from_template(stream) for _, stream in sources]
        for (container, stream), copy in zip(sources, copies, strict=True):
            for packet in container.demux(stream):
                if packet.dts is not None:
                    packet.stream = copy
                    out.mux(packet)
    clip = load_clip(tmp_path / "a.mkv", ClipConfig())
    assert numbers_in(clip.frames) == list(range(10))


def test_video_without_its_index_is_refused(tmp_path: Path):
    path = numbered_video(tmp_path / "a.mp4", 60)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    refused(path, "damaged or truncated")


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4"])
def test_truncated_video_gives_the_frames_it_has(tmp_path: Path, name: str):
    rng = np.random.default_rng(1)
    noise = [rng.integers(0, 30, (96, 128, 3)).astype(np.uint8) for _ in range(90)]
    images = [np.maximum(numbered(i), noise[i]) for i in range(90)]
    options = {"movflags": "faststart"} if name.endswith("mp4") else {}
    path = write_video(tmp_path / name, images, options={"g": "10", "bf": "0"}, container_options=options)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    clip = load_clip(path, ClipConfig(num_frames=500, duration=60.0))
    assert 20 < len(clip) < 80
    assert numbers_in(clip.frames) == clip.frame_indices.tolist() == list(range(len(clip)))
    assert any("seems truncated" in note for note in clip.notes)


def test_damage_in_the_middle_leaves_frames_in_order(tmp_path: Path):
    rng = np.random.default_rng(2)
    noise = [rng.integers(0, 30, (96, 128, 3)).astype(np.uint8) for _ in range(90)]
    images = [np.maximum(numbered(i), noise[i]) for i in range(90)]
    path = write_video(tmp_path / "a.mkv", images, options={"g": "10", "bf": "0"})
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = rng.bytes(3000)
    path.write_bytes(data)
    clip = load_clip(path, ClipConfig(num_frames=500, duration=60.0))
    assert len(clip) >= 30
    assert (np.diff(clip.seconds.numpy()) > 0).all()
    assert numbers_in(clip.frames[:20]) == list(range(20))


def test_start_past_the_end_states_the_length(tmp_path: Path):
    refused(
        numbered_video(tmp_path / "a.mp4", 60), r"start is at 7 s, but there are only 2\.0 s", ClipConfig(start=7.0)
    )


def test_start_far_past_the_end_states_the_length(tmp_path: Path):
    path = numbered_video(tmp_path / "a.mp4", 60)
    refused(path, r"start is at 1e\+06 s, but there are only 2\.0 s", ClipConfig(start=1e6))


def test_start_past_the_end_of_a_folder(tmp_path: Path):
    for i in range(6):
        av.VideoFrame.from_ndarray(numbered(i), format="rgb24").to_image().save(tmp_path / f"{i}.png")
    refused(tmp_path, r"start is at 1 s, but there are only 0\.2 s", ClipConfig(start=1.0))


def test_duration_between_two_frames(tmp_path: Path):
    path = numbered_video(tmp_path / "a.mp4", 60)
    refused(path, r"no intact frame in seconds 0\.51-0\.52", ClipConfig(start=0.51, duration=0.01))


def test_duration_beyond_the_end_is_noted(tmp_path: Path):
    clip = load_clip(numbered_video(tmp_path / "a.mp4", 60), ClipConfig(duration=9.0, num_frames=5))
    assert clip.frame_indices.tolist()[-1] == 59
    assert "the source ends at second 2.0, before the duration asked for" in clip.notes


def test_tiny_video_is_refused(tmp_path: Path):
    refused(numbered_video(tmp_path / "a.mp4", 3, size=(8, 8)), "8x8 pixels are too few")


def test_wide_request_is_limited_to_the_source(tmp_path: Path):
    clip = load_clip(numbered_video(tmp_path / "a.mp4", 3), ClipConfig(width=4000))
    assert (clip.width, clip.height) == (128, 96)
    assert "width 4000 limited to 128, as the source is only 128 wide" in clip.notes


def test_video_without_permission(tmp_path: Path):
    path = numbered_video(tmp_path / "a.mp4", 3)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    refused(path, "no permission to read it")
