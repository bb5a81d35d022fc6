"""torchcodec, where it is installed, shows the same pixels; elsewhere, and of other videos, it is not asked."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest
import torch

from neoverse_ns.training.data.sets import video, video_quick
from neoverse_ns.training.data.sets.video import VideoFrames


def write_video(path: Path, colours: int = 1, frames: int = 30) -> None:
    """A picture that moves, in H.264; `colours` is the number of its primaries, curve and matrix."""
    picture = np.random.default_rng(0).integers(0, 255, (12, 20, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        context = stream.codec_context
        context.color_primaries = context.color_trc = context.colorspace = colours
        for number in range(frames):
            part = np.ascontiguousarray(picture[:64, number : number + 96])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(part, format="rgb24")))
        container.mux(stream.encode())


def test_its_pixels_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_video(tmp_path / "v.mp4")
    quick = VideoFrames(tmp_path / "v.mp4")
    if quick._quick is None:
        pytest.skip("needs torchcodec and FFmpeg's libraries")
    monkeypatch.setattr(video, "quick_frames", lambda path, frames: None)
    plain = VideoFrames(tmp_path / "v.mp4")
    for index in (3, 5, 29, 0, 17):
        assert torch.equal(quick.frame(index), plain.frame(index))


class Decoder:
    """Stands in for torchcodec's: frames whose pixels are their numbers, of which number 2 is damaged."""

    count = 30

    def __init__(self, path: str, **settings: Any) -> None:
        assert settings == {"dimension_order": "NHWC", "num_ffmpeg_threads": 1, "seek_mode": "exact"}

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> torch.Tensor:
        if index == 2:
            raise RuntimeError("cannot decode")
        return torch.full((64, 96, 3), index, dtype=torch.uint8)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_quick.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", SimpleNamespace(VideoDecoder=Decoder))  # pyright: ignore


@pytest.mark.usefixtures("installed")
def test_it_is_asked_for_plain_videos_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_video(tmp_path / "plain.mp4")
    # BT.2020 has to be converted.
    write_video(tmp_path / "wide.mp4", 9)
    plain = VideoFrames(tmp_path / "plain.mp4")
    assert bool((plain.frame(7) == 7).all())
    # What it cannot decode, the other decoder may.
    assert float(plain.frame(2).float().std()) > 10
    assert float(VideoFrames(tmp_path / "wide.mp4").frame(7).float().std()) > 10
    monkeypatch.setattr(Decoder, "count", 29)
    assert float(VideoFrames(tmp_path / "plain.mp4").frame(7).float().std()) > 10


def test_without_it_all_is_as_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_video(tmp_path / "v.mp4")
    monkeypatch.setattr(video_quick.importlib.util, "find_spec", lambda name: None)
    assert VideoFrames(tmp_path / "v.mp4")._quick is None
    # Installed, but without the libraries that it needs.
    monkeypatch.setattr(video_quick.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", None)  # pyright: ignore
    assert VideoFrames(tmp_path / "v.mp4")._quick is None
