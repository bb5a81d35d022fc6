"""A source is what is in it: names that mislead, animations, and paths that are none."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.formats import content_of
from neoverse_ns.clip.load import load_clip
from neoverse_ns.errors import ClipError
from neoverse_ns.reconstruct.cache import cached_scene
from neoverse_ns.reconstruct.config import SceneConfig
from tests.clip.clip_makers import numbered, numbered_video, numbers_in

DURATIONS = [100, 40, 250, 60, 60, 500]


def animation(path: Path, transparent: bool = False) -> Path:
    """Numbered pictures shown for `DURATIONS` milliseconds."""
    images = [Image.fromarray(numbered(number)) for number in range(len(DURATIONS))]
    if transparent:
        cover = Image.fromarray(np.repeat(np.array([[255], [0]], np.uint8), 48, axis=0).repeat(128, axis=1))
        for image in images:
            image.putalpha(cover)
    kind = {".webp": {"lossless": True}, ".png": {}, ".gif": {}, ".avif": {"quality": 95}}[path.suffix]
    format = {"format": "PNG"} if path.suffix == ".png" else {}
    images[0].save(path, save_all=True, append_images=images[1:], duration=DURATIONS, **kind, **format)
    return path


@pytest.mark.parametrize("suffix", [".webp", ".png", ".gif", ".avif"])
def test_animations_are_clips_with_their_own_times(tmp_path: Path, suffix: str):
    if suffix == ".avif":
        pytest.importorskip("PIL._avif")
    clip = load_clip(animation(tmp_path / f"a{suffix}"), ClipConfig(num_frames=6))
    assert numbers_in(clip.frames) == [0, 1, 2, 3, 4, 5]
    torch.testing.assert_close(
        clip.seconds, torch.tensor([0, 0.1, 0.14, 0.39, 0.45, 0.51]).double(), atol=0.011, rtol=0
    )
    assert not any("only frame" in note for note in clip.notes)


@pytest.mark.parametrize("suffix", [".webp", ".png"])
def test_part_of_an_animation(tmp_path: Path, suffix: str):
    clip = load_clip(animation(tmp_path / f"a{suffix}"), ClipConfig(start=0.12, duration=0.3, num_frames=3))
    assert clip.frame_indices.tolist() == [2, 3]
    assert numbers_in(clip.frames) == [2, 3]
    with pytest.raises(ClipError, match=r"start is at 9 s, but there are only \d\.\d s"):
        load_clip(tmp_path / f"a{suffix}", ClipConfig(start=9.0))


@pytest.mark.parametrize("suffix", [".webp", ".png"])
def test_transparent_animation(tmp_path: Path, suffix: str):
    clip = load_clip(animation(tmp_path / f"a{suffix}", transparent=True), ClipConfig())
    assert numbers_in(clip.frames) == [0, 1, 2, 3, 4, 5]
    assert clip.ignored is not None
    assert clip.ignored[:, 48:].all()
    assert not clip.ignored[:, :48].any()


def test_pages_and_animations_among_images_are_told(tmp_path: Path):
    pages = [Image.fromarray(numbered(number)) for number in (7, 8, 9)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    clip = load_clip(tmp_path / "a.tif", ClipConfig())
    assert numbers_in(clip.frames) == [7]
    assert "the image holds several pictures: the first is used" in clip.notes
    Image.fromarray(numbered(8)).save(tmp_path / "b.tif")
    clip = load_clip(tmp_path, ClipConfig())
    assert numbers_in(clip.frames) == [7, 8]
    assert "1 of the images hold several pictures: the first is used" in clip.notes


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a"])
def test_a_video_under_an_images_name(tmp_path: Path, name: str):
    shutil.move(numbered_video(tmp_path / "v.mp4", 6), tmp_path / name)
    clip = load_clip(tmp_path / name, ClipConfig())
    assert numbers_in(clip.frames) == list(range(6))
    assert (f"{name} is a video in spite of its name" in clip.notes) == ("." in name)


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif", "bmp"])
@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a"])
def test_an_image_under_a_videos_name(tmp_path: Path, kind: str, name: str):
    Image.fromarray(numbered(77)).save(tmp_path / f"x.{kind}")
    shutil.move(tmp_path / f"x.{kind}", tmp_path / name)
    clip = load_clip(tmp_path / name, ClipConfig())
    assert numbers_in(clip.frames) == [77]
    assert (f"{name} is an image in spite of its name" in clip.notes) == ("." in name)


def test_an_image_under_another_images_name(tmp_path: Path):
    Image.fromarray(numbered(77)).save(tmp_path / "x.webp")
    shutil.move(tmp_path / "x.webp", tmp_path / "a.jpg")
    assert numbers_in(load_clip(tmp_path / "a.jpg", ClipConfig()).frames) == [77]


def test_a_video_among_images_is_not_called_broken(tmp_path: Path):
    for number in range(3):
        Image.fromarray(numbered(number)).save(tmp_path / f"{number}.jpg")
    shutil.move(numbered_video(tmp_path / "v.mp4", 3), tmp_path / "3.jpg")
    with pytest.raises(ClipError, match=r"3\.jpg: is a video, not an image; give it by itself"):
        load_clip(tmp_path, ClipConfig())


@pytest.mark.parametrize("name", ["a.heic", "a.jpg"])
def test_a_picture_without_its_library_is_named(tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    with pytest.raises(ClipError, match=r"(not read here|HEIF picture and cannot be opened).*(pillow-heif|is damaged)"):
        load_clip(tmp_path / name, ClipConfig())


@pytest.mark.parametrize(
    ("name", "remedy"), [("a.NEF", "develop them"), ("a.jxl", "convert them"), ("a.exr", "tone-map")]
)
def test_a_picture_that_nothing_here_reads_is_named(tmp_path: Path, name: str, remedy: str):
    # Raw photos are TIFFs with a small preview in front.
    Image.fromarray(numbered(1)).save(tmp_path / "x.tif")
    shutil.move(tmp_path / "x.tif", tmp_path / name)
    with pytest.raises(ClipError, match=rf"{name[1:].lower()} pictures are not read here; .*{remedy}"):
        load_clip(tmp_path / name, ClipConfig())


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.ts", "a.webm", "a.flv", "a.mpg", "a.mov"])
def test_containers_are_told_by_their_first_bytes(tmp_path: Path, name: str):
    codec = {"webm": "libvpx", "flv": "flv", "mpg": "mpeg2video"}.get(name[2:], "libx264")
    assert content_of(numbered_video(tmp_path / name, 3, codec=codec)) == "film"


def test_a_stream_of_jpegs_stays_a_video(tmp_path: Path):
    with av.open(str(tmp_path / "a.mjpeg"), "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuvj420p"
        for number in range(4):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(number), format="rgb24")))
        container.mux(stream.encode(None))
    assert numbers_in(load_clip(tmp_path / "a.mjpeg", ClipConfig()).frames) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ("https://www.example.org/a.mp4?x=1", r"^https://www\.example\.org/a\.mp4\?x=1: an address on the network"),
        ("rtsp://10.0.0.1/stream", r"^rtsp://10\.0\.0\.1/stream: an address on the network; download"),
        ("file:///home/me/clip.mp4", r"^file:///home/me/clip\.mp4: an address; give it as a path, /home/me/clip\.mp4"),
        ("frames/*.png", r"^frames/\*\.png: no such file, and patterns .* give the folder of images, frames$"),
        ("frames/frame_%04d.png", r"patterns of names are not looked up; give the folder of images, frames$"),
        ("~nobody_of_this_name/clip.mp4", "there is no such home folder"),
    ],
)  # fmt: skip
def test_what_is_no_path_is_refused_in_one_line(given: str, match: str):
    for attempt in (lambda: load_clip(Path(given), ClipConfig()), lambda: cached_scene(Path(given), SceneConfig())):
        with pytest.raises(ClipError, match=match) as caught:
            attempt()
        assert "\n" not in str(caught.value)


def test_names_that_only_look_like_patterns_are_fine(tmp_path: Path):
    for name in ("100%d.mp4", "a[1].mp4", "what?.mp4"):
        assert len(load_clip(numbered_video(tmp_path / name, 3), ClipConfig())) == 3


def test_the_home_folder_may_be_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    numbered_video(tmp_path / "clip.mp4", 3)
    clip = load_clip(Path("~/clip.mp4"), ClipConfig())
    assert clip.source == tmp_path / "clip.mp4"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_streams_are_refused(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(ClipError, match="a stream or device, which cannot be read twice; save the video to a file"):
            load_clip(path, ClipConfig())
