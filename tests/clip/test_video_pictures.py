"""Videos whose frames need more than decoding: interlaced lines, transparency, several streams."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import av.error
import cv2
import numpy as np
import pytest
from av.filter.graph import Graph
from av.stream import Disposition

from neoverse_ns.clip.alpha import GROUND
from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.load import load_clip
from neoverse_ns.errors import ClipError
from tests.clip.clip_makers import numbered, numbered_video, numbers_in, write_video

SIZE = (128, 96)


def moving(instant: int) -> np.ndarray:
    """A numbered picture with a bright bar that moves four pixels with every instant."""
    image = numbered(instant // 2, *SIZE)
    left = 4 * instant % (SIZE[0] - 16)
    image[SIZE[1] // 4 :, left : left + 16] = 255
    return image


def woven(frame: int) -> np.ndarray:
    """Even lines of one instant, odd lines of the next."""
    image = moving(2 * frame)
    image[1::2] = moving(2 * frame + 1)[1::2]
    return image


def interlaced_video(path: Path, count: int, group: int = 10) -> Path:
    options = {"flags": "+ilme+ildct", "x264-params": "tff=1", "g": str(group), "bf": "2", "qp": "4"}
    return write_video(path, [woven(i) for i in range(count)], options=options)


def by_ffmpeg(path: Path) -> list[np.ndarray]:
    """All frames through one bwdif from the first to the last."""
    graph, frames = Graph(), []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        nodes = [graph.add_buffer(template=stream), graph.add("bwdif", "mode=send_frame"), graph.add("buffersink")]
        graph.link_nodes(*nodes)
        graph.configure()
        for frame in [*container.decode(stream), None]:
            graph.vpush(frame)
            while True:
                try:
                    frames.append(graph.vpull().to_ndarray(format="rgb24"))
                except (av.error.BlockingIOError, av.error.EOFError):
                    break
    return frames


def combs(image: np.ndarray) -> float:
    """How much neighbouring lines differ beyond lines two apart."""
    lines = image[30:].astype(float)
    return float(np.abs(lines[1:-1] - (lines[:-2] + lines[2:]) / 2).mean())


def test_interlaced_video_is_deinterlaced_as_ffmpeg_does(tmp_path: Path):
    path = interlaced_video(tmp_path / "a.mkv", 40)
    clip = load_clip(path, ClipConfig(num_frames=40, duration=9.0))
    assert clip.frame_indices.tolist() == list(range(40))
    assert "the video is interlaced: deinterlaced" in clip.notes
    for ours, whole in zip(clip.frames.numpy(), by_ffmpeg(path), strict=True):
        np.testing.assert_array_equal(ours, whole)
    assert combs(clip.frames[7].numpy()) < 0.3 * combs(woven(7))


@pytest.mark.parametrize("start", [20, 21, 29, 30, 39])
def test_deinterlaced_frames_do_not_depend_on_where_decoding_began(tmp_path: Path, start: int):
    path = interlaced_video(tmp_path / "a.mkv", 40)
    clip = load_clip(path, ClipConfig(start=start / 30 - 0.005, num_frames=1, duration=0.02))
    assert clip.frame_indices.tolist() == [start]
    np.testing.assert_array_equal(clip.frames[0].numpy(), by_ffmpeg(path)[start])


def test_progressive_video_is_left_alone(tmp_path: Path):
    clip = load_clip(numbered_video(tmp_path / "a.mp4", 5), ClipConfig())
    assert not any("interlaced" in note for note in clip.notes)


def cut_out(number: int, cover: int = 0) -> np.ndarray:
    """A numbered picture whose lower half hides garish colours under `cover`."""
    alpha = np.full((SIZE[1], SIZE[0], 1), 255, np.uint8)
    image = numbered(number, *SIZE)
    garish = np.random.default_rng(3).integers(0, 80, (6, 8)).astype(np.uint8)
    patches = cv2.resize(garish, (SIZE[0], SIZE[1] // 2), interpolation=cv2.INTER_CUBIC)
    image[SIZE[1] // 2 :] = np.stack((255 - patches, patches, 255 - patches), axis=-1)
    alpha[SIZE[1] // 2 :] = cover
    return np.concatenate((image, alpha), axis=-1)


def alpha_video(path: Path, codec: str, pixels: str, cover: int = 0, count: int = 8) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt = *SIZE, pixels
        if codec.startswith("libvpx"):
            stream.options = {"b": "2M", "deadline": "realtime", "cpu-used": "8"}
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(cut_out(number, cover), format="rgba")
            container.mux(stream.encode(frame.reformat(format=pixels)))
        container.mux(stream.encode(None))
    return path


KINDS = [
    ("a.webm", "libvpx-vp9", "yuva420p"),
    ("a.mov", "prores_ks", "yuva444p10le"),
    ("a.mov", "qtrle", "argb"),
    ("a.mkv", "ffv1", "yuva420p"),
]


@pytest.mark.parametrize(("name", "codec", "pixels"), KINDS)
def test_transparent_parts_are_grey_and_left_out(tmp_path: Path, name: str, codec: str, pixels: str):
    clip = load_clip(alpha_video(tmp_path / name, codec, pixels), ClipConfig(width=64))
    assert numbers_in(clip.frames) == list(range(8))
    assert clip.ignored is not None
    assert clip.ignored.shape == clip.frames.shape[:3]
    middle = clip.height // 2
    assert clip.ignored[:, middle + 1 :].all()
    assert not clip.ignored[:, : middle - 1].any()
    assert (clip.frames[:, middle + 1 :].float() - GROUND).abs().max() <= 3
    assert any("50% of the pixels are transparent" in note for note in clip.notes)


@pytest.mark.parametrize(("name", "codec", "pixels"), KINDS)
def test_alpha_that_covers_everything_changes_nothing(tmp_path: Path, name: str, codec: str, pixels: str):
    clip = load_clip(alpha_video(tmp_path / name, codec, pixels, cover=255), ClipConfig())
    assert clip.ignored is None
    error = clip.frames[:, 60:].numpy().astype(int) - cut_out(0)[60:, :, :3]
    assert np.abs(error).mean() < 12


def test_half_covered_pixels_are_mixed_with_the_ground(tmp_path: Path):
    clip = load_clip(alpha_video(tmp_path / "a.mkv", "ffv1", "bgra", cover=192), ClipConfig())
    assert clip.ignored is None
    expected = cut_out(0)[48:, :, :3] * (192 / 255) + GROUND * (1 - 192 / 255)
    assert np.abs(clip.frames[:, 48:].numpy() - expected).max() <= 1


def write_streams(path: Path, sizes: list[tuple[int, int]], default: int | None, kinds: dict[int, Disposition]) -> Path:
    """One video stream per size; the pictures of stream i are numbered from 10 i."""
    with av.open(str(path), "w") as container:
        streams = []
        for place, (width, height) in enumerate(sizes):
            stream = container.add_stream("mjpeg" if place in kinds else "libx264", rate=30)
            stream.width, stream.height = width, height
            stream.pix_fmt = "yuvj420p" if place in kinds else "yuv420p"
            stream.time_base = Fraction(1, 30)
            stream.disposition = kinds.get(place, Disposition.default if place == default else Disposition(0)).value
            streams.append(stream)
        for place, stream in enumerate(streams):
            for number in range(1 if place in kinds else 5):
                image = numbered(10 * place + number, *sizes[place])
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("sizes", "default", "first"),
    [
        ([(64, 48), (128, 96)], 1, 10),
        ([(128, 96), (64, 48)], 1, 10),
        ([(64, 48), (128, 96), (96, 64)], None, 10),
        ([(128, 96), (128, 96)], None, 0),
    ],
)
def test_the_default_and_then_the_largest_stream_is_taken(tmp_path: Path, sizes: list, default: int | None, first: int):
    clip = load_clip(write_streams(tmp_path / "a.mkv", sizes, default, {}), ClipConfig())
    assert numbers_in(clip.frames) == list(range(first, first + 5))
    said = [note for note in clip.notes if "video streams" in note]
    assert len(said) == 1
    assert f"using #{first // 10}" in said[0]
    assert "--video-stream" in said[0]


def test_a_cover_is_no_stream(tmp_path: Path):
    path = write_streams(tmp_path / "a.mp4", [(256, 256), (64, 48)], 1, {0: Disposition.attached_pic})
    clip = load_clip(path, ClipConfig())
    assert numbers_in(clip.frames) == list(range(10, 15))
    assert not any("streams" in note for note in clip.notes)


def test_a_stream_can_be_chosen(tmp_path: Path):
    path = write_streams(tmp_path / "a.mkv", [(64, 48), (128, 96)], 1, {})
    assert numbers_in(load_clip(path, ClipConfig(video_stream=0)).frames) == list(range(5))
    listed = r"no video stream 2, only #0 \(h264 64x48\), #1 \(h264 128x96, default\)"
    with pytest.raises(ClipError, match=listed):
        load_clip(path, ClipConfig(video_stream=2))


@pytest.mark.parametrize(("tag", "said"), [("hvc1", False), ("dvh1", True)])
def test_dolby_vision_without_a_base_is_said(tmp_path: Path, tag: str, said: bool):
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("libx265", rate=30, options={"x265-params": "log-level=none"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.codec_context.codec_tag = "hvc1"
        for number in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(number, *SIZE), format="rgb24")))
        container.mux(stream.encode(None))
    path = tmp_path / "a.mp4"
    path.write_bytes(path.read_bytes().replace(b"hvc1", tag.encode()))
    notes = load_clip(path, ClipConfig()).notes
    assert any("Dolby Vision (profile 5) cannot be converted" in note for note in notes) == said
