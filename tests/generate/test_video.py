"""Videos of finished frames and of what they were made from."""

from __future__ import annotations

import os
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from neoverse_ns.errors import NeoVerseError, RunError, SettingsError
from neoverse_ns.generate.video import (
    check_output,
    condition_videos,
    whole_video,
    write_condition_videos,
    write_video_whole,
)
from tests.generate.test_base import some_conditions


def test_a_video_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "out.mp4"
    check_output(path)
    frames = torch.zeros(5, 16, 32, 3, dtype=torch.uint8)
    frames[3:] = 200
    write_video_whole(path, frames, 12.0)
    with av.open(str(path)) as container:
        assert container.streams.video[0].average_rate == 12
        shown = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
    assert shown.shape == (5, 16, 32, 3)
    assert np.abs(shown.astype(float) - frames.numpy()).mean() < 5
    assert [file.name for file in path.parent.iterdir()] == ["out.mp4"]


@pytest.mark.parametrize(("name", "said"), [("out", "mp4"), ("out.png", "mp4"), ("file/out.mp4", "file")])
def test_what_cannot_be_written_is_said_before_any_work(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises((SettingsError, RunError), match=said):
        check_output(tmp_path / name)


def test_a_folder_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "out.mp4").mkdir()
    with pytest.raises(RunError, match="folder"):
        check_output(tmp_path / "out.mp4")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(NeoVerseError, match=str(tmp_path)):
        check_output(tmp_path / "out.mp4")


def test_conditions_as_pictures() -> None:
    conditions = some_conditions()
    videos = condition_videos(conditions)
    assert videos.keys() == {"render", "mask", "depth"}
    for video in videos.values():
        assert video.shape == (4, 6, 8, 3)
        assert video.dtype == torch.uint8
    assert torch.equal(videos["render"], (conditions.rgb.clamp(0, 1) * 255).round().to(torch.uint8))
    assert torch.equal(videos["mask"][..., 0] == 255, conditions.mask)
    order = conditions.depth.flatten().argsort()
    shades = videos["depth"][..., 0].flatten()[order].int()
    assert bool((shades.diff() >= 0).all())
    assert int(shades[-1]) == 255


def test_a_video_in_pieces_is_the_video_and_half_a_one_is_none(tmp_path: Path) -> None:
    frames = torch.randint(0, 256, (7, 16, 32, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    write_video_whole(tmp_path / "whole.mp4", frames, 12.0)
    with whole_video(tmp_path / "pieces.mp4", 16, 32, 12.0) as add:
        add(frames[:3])
        add(frames[3:])
    assert (tmp_path / "pieces.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    with pytest.raises(KeyboardInterrupt):
        _stopped(tmp_path / "whole.mp4", frames[:3])
    assert (tmp_path / "pieces.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()
    assert len(list(tmp_path.iterdir())) == 2


def _stopped(path: Path, frames: torch.Tensor) -> None:
    with whole_video(path, 16, 32, 12.0) as add:
        add(frames)
        raise KeyboardInterrupt


def test_condition_videos_are_written_stretch_by_stretch(tmp_path: Path) -> None:
    conditions = some_conditions(frames=5)
    files = write_condition_videos(tmp_path / "out.mp4", conditions, 8.0, stretch=2)
    assert [file.name for file in files] == ["out_render.mp4", "out_mask.mp4", "out_depth.mp4"]
    for file in files:
        with av.open(str(file)) as container:
            assert sum(1 for _ in container.decode(video=0)) == 5
