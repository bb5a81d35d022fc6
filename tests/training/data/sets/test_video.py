"""Frames of a video by number."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from neoverse_ns.clip.write import write_video
from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.sets import video
from neoverse_ns.training.data.sets.video import VideoFrames
from tests.training.data.sets.known_world import truncate

COUNT, BITS = 300, 9


def numbered(count: int) -> Tensor:
    """Pictures that show their number in bars."""
    frames = torch.zeros(count, 32, 7 * BITS + 1, 3, dtype=torch.uint8)
    for bit in range(BITS):
        lit = (torch.arange(count) >> bit & 1).bool()
        frames[lit, :, 7 * bit : 7 * bit + 7] = 220
    return frames


def number(frame: Tensor) -> int:
    return sum(1 << bit for bit in range(BITS) if frame[16, 7 * bit + 3, 1] > 110)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "numbers.mp4"
    write_video(path, numbered(COUNT), 24.0)
    return path


def test_frames_in_any_order_are_those_of_their_number(path: Path) -> None:
    frames = VideoFrames(path)
    assert len(frames) == COUNT
    order = [*range(0, COUNT, 5), 3, COUNT - 1, 150, 151, 149, 60, 0, *torch.randperm(COUNT)[:30].tolist()]
    for index in order:
        assert number(frames.frame(index)) == index
    frames.close()
    assert number(frames.frame(7)) == 7


def test_ascending_frames_open_the_file_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video, "quick_frames", lambda path, count: None)
    frames, opened = VideoFrames(path), []
    real = video.opened_video
    monkeypatch.setattr(video, "opened_video", lambda *args: opened.append(args) or real(*args))
    for index in range(40, 240, 5):
        frames.frame(index)
    assert len(opened) == 1


def test_what_cannot_be_decoded_is_told(path: Path, tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="has no frame 300"):
        VideoFrames(path).frame(COUNT)
    with pytest.raises(ClipError, match="is missing"):
        VideoFrames(tmp_path / "other.mp4")
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(path.read_bytes())
    truncate(broken)
    with pytest.raises(ClipError, match=r"broken\.mp4"):
        VideoFrames(broken).frame(COUNT - 1)
