"""KITTI odometry's drives, written with known cameras and read back."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.kitti.odometry import split_projection
from neoverse_ns.evaluation.data.registry import benchmark_data
from tests.evaluation.data.fabricate_kitti import SIZE, write_kitti


def test_all_four_cameras_stand_where_they_stood(tmp_path: Path) -> None:
    made = write_kitti(tmp_path / "dataset")
    data = benchmark_data("kitti-odometry")
    assert data.find(tmp_path) == ["07"]
    scene = data.open(tmp_path, "07")
    assert [(frame.camera, frame.time) for frame in scene.frames] == [(c, t) for c in "0123" for t in range(4)]
    for frame in scene.frames:
        assert frame.c2w is not None
        assert frame.K is not None
        assert (frame.c2w - made.c2w[int(frame.camera)][frame.time]).abs().max() < 1e-6
        assert (frame.K - made.K).abs().max() < 1e-4
        assert frame.seconds == pytest.approx(0.1037 * frame.time)
        assert (frame.width, frame.height) == SIZE
    assert scene.frames[4].name == "sequences/07/image_1/000000.png"
    rgb = scene.read(scene.frames[4]).rgb
    assert rgb is not None
    assert torch.equal(rgb[..., 0], rgb[..., 2])
    assert rgb.float().std() > 5
    assert data.missing(tmp_path, "07") == []


def test_the_published_baseline() -> None:
    # P1 of sequence 00, as its calib.txt has it.
    P = torch.tensor([[718.856, 0, 607.1928, -386.1448], [0, 718.856, 185.2157, 0], [0, 0, 1, 0]]).double()
    K, offset = split_projection(P)
    assert offset[0, 3].item() == pytest.approx(0.53717, abs=1e-5)
    assert offset[1:3, 3].abs().max() < 1e-12
    assert torch.equal(K, P[:, :3])


def test_a_drive_without_poses_and_colour(tmp_path: Path) -> None:
    write_kitti(tmp_path, cameras=(0, 1), poses=False)
    data = benchmark_data("kitti-odometry")
    scene = data.open(tmp_path, "07")
    assert {frame.camera for frame in scene.frames} == {"0", "1"}
    assert all(frame.c2w is None for frame in scene.frames)
    assert "its cameras are not known" in data.missing(tmp_path, "07")[0]
    (tmp_path / "sequences/07/calib.txt").write_text("P0: 1 2 3\n")
    with pytest.raises(ClipError, match="P0 is not 3x4 numbers"):
        data.open(tmp_path, "07")
    with pytest.raises(ClipError, match=r"sequences/00/calib\.txt"):
        data.find(tmp_path / "sequences")
