"""What a growth leaves behind, and that it can be opened again."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import pytest
import torch

from neoverse_ns.api.runs import load
from neoverse_ns.applications.extend.files import (
    SCENE,
    check_output_folder,
    next_number,
    save_grown,
    write_frames,
    write_views,
)
from neoverse_ns.applications.extend.grow import grow
from neoverse_ns.errors import RunError
from neoverse_ns.gaussians.layers import INPAINTED
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.rasterize.drawing import DrawOptions
from tests.applications.extend.test_grow import shifted
from tests.applications.extend.walled import Painter, walled_scene
from tests.e2e.commands import read_video


def test_views_and_masks_are_videos_of_as_many_frames(tmp_path: Path) -> None:
    grown = grow(walled_scene(), {"right": shifted(0.5)}, RefinerConfig(refiner="telea"), refiner=Painter())
    files = write_views(grown, tmp_path)
    assert files == {"right": tmp_path / "right.mp4"}
    assert len(read_video(tmp_path / "right.mp4")) == 5
    mask = torch.from_numpy(read_video(tmp_path / "right_invented.mp4")[..., 0] > 127)
    wrong = (mask != grown.views["right"].invented).float().mean()
    assert float(wrong) < 0.02


def test_one_moment_is_a_picture_and_odd_sides_lose_a_row(tmp_path: Path) -> None:
    frames = torch.randint(0, 256, (3, 17, 21, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    path = write_frames(tmp_path / "new" / "one", frames[:1], 8.0)
    assert path.name == "one.png"
    picture = cv2.imread(str(path))
    assert picture is not None
    assert torch.equal(torch.from_numpy(picture[..., ::-1].copy()), frames[0])
    assert read_video(write_frames(tmp_path / "all", frames, 8.0)).shape == (3, 16, 20, 3)


def test_a_saved_scene_opens_as_it_was_and_gives_way_to_the_next(tmp_path: Path) -> None:
    scene = walled_scene()
    grown = grow(scene, {"right": shifted(0.5)}, RefinerConfig(refiner="telea"), refiner=Painter()).scene
    for written in (grown, dataclasses.replace(grown, options=DrawOptions(nearest_only=True))):
        assert save_grown(written, tmp_path) == tmp_path / SCENE
        check_output_folder(tmp_path, tmp_path / SCENE)
    again = load(tmp_path / SCENE)
    for name, value in grown.gaussians.tensors().items():
        assert torch.equal(again.gaussians.tensors()[name], value), name
    assert INPAINTED in again.gaussians
    assert torch.equal(again.cameras.c2w, scene.cameras.c2w)
    assert again.source is not None
    assert scene.source is not None
    assert torch.equal(again.source.clip.frames, scene.source.clip.frames)


def test_the_run_s_own_way_of_drawing_is_told_to_be_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_grown(dataclasses.replace(walled_scene(), options=DrawOptions(nearest_only=True)), tmp_path)
    assert "nearest_only" in capsys.readouterr().out


def test_what_is_no_scene_is_not_replaced(tmp_path: Path) -> None:
    run = tmp_path / "run"
    check_output_folder(tmp_path, run)
    (tmp_path / SCENE).mkdir()
    (tmp_path / SCENE / "diary.txt").write_text("mine")
    with pytest.raises(RunError, match="no scene that could be replaced"):
        check_output_folder(tmp_path, run)
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="is a file"):
        check_output_folder(tmp_path / "file", run)


def test_numbers_go_on_from_the_highest(tmp_path: Path) -> None:
    assert next_number(tmp_path / "absent") == next_number(tmp_path) == 1
    for name in ("2_pan_left.mp4", "11_tilt_up.mp4", "front.mp4", "20.txt"):
        (tmp_path / name).touch()
    assert next_number(tmp_path) == 12
