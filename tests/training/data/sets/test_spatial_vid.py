"""SpatialVID's layout: videos with captions, some with cameras at 5 Hz."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation, Slerp
from torch import Tensor

from neoverse_ns.clip.synthetic.path import camera_path
from neoverse_ns.clip.write import write_video
from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.sets.registry import data_set
from neoverse_ns.training.data.sets.spatial_vid import SpatialVidClip
from tests.training.data.sets.known_world import FRAMES, HEIGHT, WIDTH, known_world, numbers, truncate

FPS, STEP = 25.0, 5
"""Every fifth frame has a camera."""
LENGTH = 4 * STEP + 3
WITH, WITHOUT = "0a00f99d-9d9a-5265-9548-e97a34c1302c", "0a7b25d8-41fd-563f-bec3-9fb2b675be3e"


def cameras() -> Tensor:
    return camera_path(LENGTH, WIDTH, HEIGHT, torch.Generator().manual_seed(1), shaking=0.0).c2w


def write(folder: Path, table: bool = True, indexes: bool = True) -> Path:
    world = known_world()
    frames = world.clip.frames[torch.arange(LENGTH) % FRAMES]
    for name in (WITH, WITHOUT):
        video = folder / "videos" / "group_0001" / f"{name}.mp4"
        video.parent.mkdir(parents=True, exist_ok=True)
        write_video(video, frames, FPS)
    annotation = folder / "annotations" / "group_0001" / WITH
    annotation.mkdir(parents=True)
    caption = {"SceneSummary": "no", "SceneDescription": "A yard \n with a ball.", "CameraMotion": "no"}
    (annotation / "caption.json").write_text(json.dumps(caption))
    estimated = range(0, LENGTH, STEP)
    poses = [numbers(torch.linalg.inv(cameras()[i])) for i in estimated]
    rows = [[*pose[:3, 3], *Rotation.from_matrix(pose[:3, :3]).as_quat()] for pose in poses]
    np.save(annotation / "poses.npy", np.array(rows))
    np.save(annotation / "intrinsics.npy", np.array([[0.85, 0.85 * WIDTH / HEIGHT, 0.5, 0.5]] * len(rows)))
    if indexes:
        (annotation / "indexes.txt").write_text("\n".join(str(i) for i in estimated))
    if table:
        path = folder / "data" / "train" / "SpatialVID_HQ_metadata.csv"
        path.parent.mkdir(parents=True)
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "group id", "video path", "num frames", "fps", "resolution", "ocr score"])
            for name in (WITH, WITHOUT):
                place = f"videos/group_0001/{name}.mp4"
                writer.writerow([name, 1, place, LENGTH, FPS, f"{WIDTH}x{HEIGHT}", 0.0])
    return annotation


@pytest.mark.parametrize("table", [True, False])
def test_videos_are_listed_with_their_captions(tmp_path: Path, table: bool) -> None:
    write(tmp_path, table=table)
    first, second = data_set("spatial_vid").find(tmp_path)
    assert (first.id, second.id) == (WITH, WITHOUT)
    assert first.source == {"path": f"videos/group_0001/{WITH}.mp4"}
    for row in (first, second):
        assert (row.frames, row.fps, row.width, row.height) == (LENGTH, FPS, WIDTH, HEIGHT)
    assert (first.caption, second.caption) == ("A yard with a ball.", None)
    assert (first.has, second.has) == ({"pose"}, frozenset())


@pytest.mark.parametrize("indexes", [True, False])
def test_frames_and_cameras_read_back(tmp_path: Path, indexes: bool) -> None:
    write(tmp_path, indexes=indexes)
    layout = data_set("spatial_vid")
    clip = layout.open(tmp_path, layout.find(tmp_path)[0])
    world = known_world()
    K = torch.tensor([[0.85 * WIDTH, 0, WIDTH / 2], [0, 0.85 * WIDTH, HEIGHT / 2], [0, 0, 1]], dtype=torch.float64)
    for index in (0, 5, 10, 20):
        frame = clip.frame(index)
        assert frame.c2w is not None
        assert frame.depth is None
        torch.testing.assert_close(frame.c2w, cameras()[index], rtol=0, atol=1e-6)
        torch.testing.assert_close(frame.K, K, rtol=0, atol=1e-4)
        assert (frame.rgb.float() - world.clip.frames[index % FRAMES].float()).abs().mean() < 8
    # Between two estimates halfway, after the last one still.
    between = clip.frame(7).c2w
    assert between is not None
    ends = cameras()[[5, 10]]
    torch.testing.assert_close(between[:3, 3], 0.6 * ends[0, :3, 3] + 0.4 * ends[1, :3, 3])
    turn = Slerp([5, 10], Rotation.from_matrix(numbers(ends[:, :3, :3])))(7).as_matrix()
    torch.testing.assert_close(between[:3, :3], torch.from_numpy(turn), rtol=0, atol=1e-6)
    last = clip.frame(22).c2w
    assert last is not None
    torch.testing.assert_close(last, cameras()[20], rtol=0, atol=1e-6)
    assert clip.displacement(0, 1) is None


def test_a_video_without_cameras_has_pictures_and_no_lens(tmp_path: Path) -> None:
    write(tmp_path)
    layout = data_set("spatial_vid")
    clip = cast(SpatialVidClip, layout.open(tmp_path, layout.find(tmp_path)[1]))
    assert "control branch alone" in layout.remarks(clip)[0]
    frame = clip.frame(3)
    assert frame.c2w is None
    assert frame.K.isnan().all()
    assert torch.equal(frame.rgb, clip.rgb(3))


def test_damage_is_told_with_the_file(tmp_path: Path) -> None:
    annotation = write(tmp_path, table=False)
    layout = data_set("spatial_vid")
    row = layout.find(tmp_path)[0]
    (annotation / "indexes.txt").write_text("0 5")
    with pytest.raises(ClipError, match=r"indexes\.txt"):
        layout.open(tmp_path, row)
    truncate(annotation / "poses.npy")
    with pytest.raises(ClipError, match=r"poses\.npy"):
        layout.open(tmp_path, row)
    truncate(annotation / "caption.json")
    truncate(tmp_path / "videos" / "group_0001" / f"{WITH}.mp4")
    # Listed nevertheless: one of hundreds of thousands stops nothing.
    row = layout.find(tmp_path)[0]
    assert (row.frames, row.caption) == (0, None)
    with pytest.raises(ClipError, match=rf"{WITH}\.mp4"):
        layout.open(tmp_path, row)
