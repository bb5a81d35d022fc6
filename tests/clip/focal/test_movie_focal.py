"""Focal lengths in videos: QuickTime keys of file and track, GoPro's field of view, drones' subtitles."""

from __future__ import annotations

import math
import struct
import subprocess
from pathlib import Path

import imageio_ffmpeg
import pytest

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.load import load_clip
from tests.clip.box_makers import box, gopro_values, insert, quicktime_keys
from tests.clip.clip_makers import numbered_video

KEY = "com.apple.quicktime.camera.focal_length.35mm_equivalent"
LENS = "com.apple.quicktime.camera.lens_model"
SIZE = (160, 90)
CONFIG = ClipConfig(num_frames=2)
SUBTITLE = "<font size=28>FrameCnt: {0}\n[iso: 100] [shutter: 1/400.0] {1} [latitude: 1.0] [ct: 5310] </font>"


def integer(value: int) -> bytes:
    return struct.pack(">Ii", 21, value)


def text(value: str) -> bytes:
    return struct.pack(">I", 1) + value.encode()


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return numbered_video(tmp_path / "clip.mp4", 6, SIZE)


def pixels_of(video: Path, size: tuple[int, int] = SIZE) -> float:
    """Focal length in pixels of the source, as the clip has it."""
    clip = load_clip(video, CONFIG)
    assert clip.focal_hint is not None
    assert clip.source_size == size
    return clip.focal_hint.focal * clip.width / clip.source_scale


def from_sensor(equivalent: float) -> float:
    """Pixels where a picture as wide as `SIZE` is cut from a sensor of 4:3: width 4, diagonal 5."""
    return equivalent / math.hypot(36, 24) * SIZE[0] * 5 / 4


@pytest.mark.parametrize("parents", [(b"moov",), (b"moov", b"trak")])
@pytest.mark.parametrize("value", [integer(26), struct.pack(">If", 23, 26.0), text("26")])
def test_quicktime_keys(parents: tuple[bytes, ...], value: bytes, video: Path) -> None:
    insert(video, parents, quicktime_keys({"com.apple.quicktime.make": text("Apple"), KEY: value}))
    assert pixels_of(video) == pytest.approx(from_sensor(26), rel=1e-6)
    hint = load_clip(video, CONFIG).focal_hint
    assert hint is not None
    assert hint.uncertainty == pytest.approx(0.15)


def test_a_phone_held_upright_has_the_same_lens(tmp_path: Path) -> None:
    video = numbered_video(tmp_path / "clip.mp4", 6, SIZE, rotation=90)
    insert(video, (b"moov", b"trak"), quicktime_keys({KEY: integer(26)}))
    assert pixels_of(video, (SIZE[1], SIZE[0])) == pytest.approx(from_sensor(26), rel=1e-6)


def test_lens_names(video: Path, tmp_path: Path) -> None:
    insert(video, (b"moov", b"trak"), quicktime_keys({LENS: text("Phone back camera 24 mm (35mm eq) f/1.8")}))
    assert pixels_of(video) == pytest.approx(from_sensor(24), rel=1e-6)
    # The lens's real focal length says nothing without its sensor.
    other = numbered_video(tmp_path / "other.mp4", 6, SIZE)
    insert(other, (b"moov", b"trak"), quicktime_keys({LENS: text("iPhone 13 back camera 5.1mm f/1.6")}))
    assert load_clip(other, CONFIG).focal_hint is None


@pytest.mark.parametrize("value", [integer(0), integer(-13), text("wide"), struct.pack(">If", 23, math.nan)])
def test_values_that_make_no_sense(value: bytes, video: Path) -> None:
    insert(video, (b"moov", b"trak"), quicktime_keys({KEY: value}))
    assert load_clip(video, CONFIG).focal_hint is None


def test_android_says_nothing_of_the_lens(video: Path) -> None:
    keys = {"com.android.version": text("15"), "com.android.model": text("Pixel 26")}
    insert(video, (b"moov",), quicktime_keys(keys | {"com.android.capture.fps": struct.pack(">If", 23, 30.0)}))
    clip = load_clip(video, CONFIG)
    assert clip.focal_hint is None
    assert not [note for note in clip.notes if "focal" in note]


def gopro(video: Path, mode: bytes, diagonal: float | None, name: bytes = b"Large FOV") -> Path:
    inner = {b"DVNM": (b"c", name), b"VFOV": (b"c", mode)}
    if diagonal is not None:
        inner[b"ZFOV"] = (b"f", struct.pack(">f", diagonal))
    whole = gopro_values({b"DEVC": (b"\0", gopro_values({b"MINF": (b"c", b"HERO11 Black")}))})
    insert(video, (b"moov", b"udta"), box(b"GPMF", whole + gopro_values({b"DEVC": (b"\0", gopro_values(inner))})))
    return video


@pytest.mark.parametrize(("mode", "name"), [(b"L", b"Global Settings"), (b"W", b"Linear + Horizon")])
def test_linear_modes_state_their_diagonal(mode: bytes, name: bytes, video: Path) -> None:
    expected = math.hypot(*SIZE) / 2 / math.tan(math.radians(86) / 2)
    assert pixels_of(gopro(video, mode, 86.0, name)) == pytest.approx(expected, rel=1e-6)


def test_bending_modes_are_named(video: Path) -> None:
    clip = load_clip(gopro(video, b"S", 121.0), CONFIG)
    assert clip.focal_hint is None
    assert [note for note in clip.notes if "HERO11 Black in its SuperView mode shows straight lines bent" in note]


def test_old_and_broken_gopros_are_no_trouble(video: Path, tmp_path: Path) -> None:
    assert load_clip(gopro(video, b"L", None), CONFIG).focal_hint is None
    broken = numbered_video(tmp_path / "broken.mp4", 6, SIZE)
    insert(broken, (b"moov", b"udta"), box(b"GPMF", b"ZFOVf\x04\xff\xff\x00"))
    assert load_clip(broken, CONFIG).focal_hint is None


@pytest.mark.parametrize(
    ("readings", "equivalent"),
    [
        ("[focal_len: 24.00]", 24),
        ("[focal_len : 240]", 24),
        ("[focal_len: 24.00] [dzoom_ratio: 2.00]", 48),
        ("[focal_len : 280] [dzoom_ratio: 10000, delta:0]", 28),
    ],
)
def test_drones_subtitles(readings: str, equivalent: float, video: Path, tmp_path: Path) -> None:
    lines = [SUBTITLE.format(number, readings) for number in (1, 2)]
    times = ("00:00:00,000 --> 00:00:00,100", "00:00:00,100 --> 00:00:00,200")
    written = "\n\n".join(f"{n}\n{time}\n{line}" for n, (time, line) in enumerate(zip(times, lines, strict=True), 1))
    video.with_suffix(".SRT").write_text(written)
    assert pixels_of(video) == pytest.approx(from_sensor(equivalent), rel=1e-6)
    inside = tmp_path / "inside.mp4"
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", video, "-i", video.with_suffix(".SRT")]
    subprocess.run([*ffmpeg, "-c:v", "copy", "-c:s", "mov_text", inside], check=True)
    assert pixels_of(inside) == pytest.approx(from_sensor(equivalent), rel=1e-6)


def test_films_with_ordinary_subtitles(video: Path) -> None:
    video.with_suffix(".srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nWhat focal length is that?\n")
    assert load_clip(video, CONFIG).focal_hint is None
