"""TUM's, Bonn's, ScanNet's and KITTI's depth recordings, written with known answers and read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.registry import benchmark_data
from neoverse_ns.evaluation.data.scene import BenchmarkScene
from tests.evaluation.data import fabricate_world as world
from tests.evaluation.data.fabricate_rgbd import (
    START,
    Recording,
    noise,
    write_kitti_depth,
    write_scannet,
    write_tum,
)


def check(scene: BenchmarkScene, made: Recording, tolerance: float = 1e-6) -> None:
    """Frames come back with pictures, depth and poses."""
    assert [frame.name for frame in scene.frames] == made.names
    for frame, c2w, rgb in zip(scene.frames, made.c2w, made.rgb, strict=True):
        assert frame.c2w is not None
        assert (frame.c2w - c2w).abs().max() < tolerance
        found = scene.read(frame).rgb
        assert found is not None
        assert np.array_equal(found.numpy(), rgb)


@pytest.mark.parametrize(
    ("layout", "name", "lens"),
    [
        ("tum", "rgbd_dataset_freiburg3_sitting_rpy", (535.4, 539.2, 320.6, 248.1)),
        ("bonn", "rgbd_bonn_crowd2", (542.822841, 542.57687, 316.09352, 238.256098)),
    ],
)
def test_tum_and_bonn_come_back(
    tmp_path: Path, layout: str, name: str, lens: tuple[float, float, float, float]
) -> None:
    made = write_tum(tmp_path, name)
    data = benchmark_data(layout)
    assert data.find(tmp_path) == [name]
    scene = data.open(tmp_path, name)
    check(scene, made)
    assert scene.unit == 1.0
    # The set's lens is for 640x480, ten times the pictures' size; its principal point counts whole numbers at centres.
    K = scene.frames[0].K
    assert K is not None
    assert torch.allclose(K[[0, 1, 0, 1], [0, 1, 2, 2]], torch.tensor(lens).double() / 10, atol=1e-4)
    assert [frame.seconds for frame in scene.frames] == pytest.approx([number / 30 for number in range(6)], abs=1e-5)
    for number, frame in enumerate(scene.frames):
        assert frame.time == number
        depth = scene.read(frame, "depth").depth
        assert depth is not None
        assert np.abs(depth.numpy() - made.depth[number]).max() < 1e-6
        assert np.array_equal(depth.numpy() == 0, made.depth[number] == 0)
    assert data.missing(tmp_path, name) == []


@pytest.mark.parametrize(("offset", "paired"), [(0.015, True), (0.025, False)])
def test_lists_are_paired_within_two_hundredths_of_a_second(tmp_path: Path, offset: float, paired: bool) -> None:
    made = write_tum(tmp_path, frames=1, pose_offset=offset, depth_offset=-offset)
    (frame,) = (scene := benchmark_data("tum").open(tmp_path, made.folder.name)).frames
    assert (frame.c2w is not None) == paired
    assert (scene.read(frame, "depth").depth is not None) == paired
    assert scene.read(frame, "rgb").rgb is not None
    said = benchmark_data("tum").missing(tmp_path, made.folder.name)
    assert said == ([] if paired else [f"{made.folder.name}: 1 of 1 frames have no depth"])


def test_nearest_pairs_come_first_and_each_pose_is_used_once(tmp_path: Path) -> None:
    made = write_tum(tmp_path, frames=3)
    times = (START, START + 1 / 30, START + 2 / 30)
    # The second pose is near both of the first two pictures, and nearer to the second.
    lines = [f"{times[1] - 0.016:.6f}", f"{times[1] - 0.015:.6f}"]
    poses = "\n".join(f"{time} {number} 0 0 0 0 0 1" for number, time in enumerate(lines)) + "\n"
    (made.folder / "groundtruth.txt").write_text(poses)
    frames = benchmark_data("tum").open(tmp_path, made.folder.name).frames
    places = [None if frame.c2w is None else frame.c2w[0, 3].item() for frame in frames]
    assert places == [0.0, 1.0, None]


def test_a_missing_picture_is_told(tmp_path: Path) -> None:
    made = write_tum(tmp_path, frames=3)
    (made.folder / made.names[1]).unlink()
    scene = benchmark_data("tum").open(tmp_path, made.folder.name)
    assert made.names[1] in " ".join(benchmark_data("tum").missing(tmp_path, made.folder.name))
    with pytest.raises(ClipError, match="missing"):
        scene.read(scene.frames[1])
    with pytest.raises(ClipError, match=r"rgb\.txt and groundtruth\.txt"):
        benchmark_data("tum").find(made.folder / "rgb")


def test_scannet_with_a_lost_pose_and_small_depth(tmp_path: Path) -> None:
    made = write_scannet(tmp_path, lost=(2,))
    assert benchmark_data("scannet").find(tmp_path) == ["scene0000_00"]
    scene = benchmark_data("scannet").open(tmp_path, "scene0000_00")
    assert [frame.c2w is None for frame in scene.frames] == [number == 2 for number in range(6)]
    K = scene.frames[0].K
    assert K is not None
    assert torch.allclose(K, world.intrinsics(64, 48), atol=1e-4)
    last = scene.frames[5]
    assert last.c2w is not None
    assert (last.c2w - made.c2w[5]).abs().max() < 1e-6
    depth = scene.read(last, "depth").depth
    assert depth is not None
    # Both cameras see the same with the same field of view: each depth pixel covers two by two.
    assert np.abs(depth.numpy() - made.depth[5].repeat(2, 0).repeat(2, 1)).max() < 1e-6


@pytest.mark.parametrize("gathered", [True, False])
def test_kitti_depth_in_both_layouts(tmp_path: Path, gathered: bool) -> None:
    made = write_kitti_depth(tmp_path, gathered)
    data = benchmark_data("kitti-depth")
    names = data.find(tmp_path)
    assert names == [f"2011_09_26_drive_{drive:04d}_sync" + "_02" * gathered for drive in range(2)]
    scene = data.open(tmp_path, names[1])
    assert [frame.time for frame in scene.frames] == [5, 6, 7, 8, 9]
    assert [frame.name for frame in scene.frames] == made[1].names
    K = scene.frames[0].K
    assert K is not None
    assert torch.allclose(K[[0, 1, 0, 1], [0, 1, 2, 2]], torch.tensor([70.5, 71.5, 31.2, 23.1]).double(), atol=1e-4)
    found = scene.read(scene.frames[3], "rgb", "depth")
    assert found.rgb is not None
    assert found.depth is not None
    assert np.array_equal(found.rgb.numpy(), noise(8))
    assert np.abs(found.depth.numpy() - made[1].depth[3]).max() < 1e-6
    (tmp_path / scene.frames[2].name).unlink()
    assert "1 frames have depth but no picture" in data.missing(tmp_path, names[1])[0]
