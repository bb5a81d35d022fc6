"""What would be lost if mediapy read and wrote the videos."""

from __future__ import annotations

import inspect
from pathlib import Path

import mediapy
import numpy as np
import pytest
import torch

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.load import load_clip
from neoverse_ns.clip.write import write_video
from tests.clip import clip_makers
from tests.clip.clip_makers import numbered, numbers_in


def test_mediapy_knows_no_time_stamps(tmp_path: Path) -> None:
    """It has a rate for the whole video, and gives all frames in a row from the first on."""
    stamps = [0, 40, 80, 400, 440, 1000, 1040]
    path = clip_makers.write_video(tmp_path / "a.mkv", [numbered(i) for i in range(7)], stamps=stamps)
    clip = load_clip(path, ClipConfig(start=0.3, num_frames=4))
    assert numbers_in(clip.frames) == [3, 4, 5, 6]
    torch.testing.assert_close(clip.seconds, torch.tensor([0.4, 0.44, 1.0, 1.04]).double(), rtol=0, atol=1e-5)
    assert set(mediapy.VideoMetadata._fields) == {"num_images", "shape", "fps", "bps"}
    assert not {"start", "seek", "time", "times", "duration"} & set(inspect.signature(mediapy.VideoReader).parameters)


def test_a_video_is_written_without_an_ffmpeg_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    frames = torch.from_numpy(np.stack([numbered(i) for i in range(5)]))
    write_video(tmp_path / "a.mp4", frames, 24000 / 1001)
    clip = load_clip(tmp_path / "a.mp4", ClipConfig(num_frames=5))
    assert numbers_in(clip.frames) == [0, 1, 2, 3, 4]
    torch.testing.assert_close(clip.seconds, torch.arange(5).double() * 1001 / 24000, rtol=0, atol=1e-6)
    with pytest.raises(RuntimeError, match="ffmpeg"):
        mediapy.write_video(tmp_path / "b.mp4", frames.numpy(), fps=24000 / 1001)


def test_another_encoder_changes_the_pixels_that_figures_are_measured_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As good a copy, but another one: an ffmpeg program halves the colours' size with another filter than PyAV."""
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")
    (tmp_path / "ffmpeg").symlink_to(imageio_ffmpeg.get_ffmpeg_exe())
    monkeypatch.setenv("PATH", str(tmp_path))
    frames = torch.from_numpy(np.stack([numbered(i, seed=i) for i in range(3)]))
    write_video(tmp_path / "a.mp4", frames, 10.0)
    write_video(tmp_path / "again.mp4", frames, 10.0)
    mediapy.write_video(tmp_path / "b.mp4", frames.numpy(), fps=10.0, crf=12)
    ours, again, theirs = (
        load_clip(tmp_path / name, ClipConfig(num_frames=3)).frames for name in ("a.mp4", "again.mp4", "b.mp4")
    )
    assert torch.equal(ours, again)
    assert not torch.equal(ours, theirs)
    errors = [(copy.float() - frames).square().mean().sqrt().item() for copy in (ours, theirs)]
    assert max(errors) < 8
    assert abs(errors[0] - errors[1]) < 1
