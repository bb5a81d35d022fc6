"""Sintel's files, written byte by byte and read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.registry import benchmark_data
from neoverse_ns.evaluation.data.sintel.files import read_cam, read_dpt, read_flo
from tests.evaluation.data.fabricate_sintel import PATCH, SIZE, write_sintel


def test_cameras_pictures_and_depth_come_back(tmp_path: Path) -> None:
    made, _ = write_sintel(tmp_path, ("alley_2", "cave_4"))
    data = benchmark_data("sintel")
    assert data.find(tmp_path) == data.find(tmp_path / "training") == ["alley_2", "cave_4"]
    scene = data.open(tmp_path, "alley_2")
    assert [frame.name for frame in scene.frames] == [f"final/alley_2/frame_{n:04d}.png" for n in range(1, 5)]
    for number, frame in enumerate(scene.frames):
        assert frame.c2w is not None
        assert frame.K is not None
        assert (frame.c2w - made.c2w[number]).abs().max() < 1e-6
        # Pixel centres lie at +0.5 here.
        assert torch.allclose(frame.K[:2, 2], torch.tensor([SIZE[0] / 2, SIZE[1] / 2]).double(), atol=1e-4)
        assert frame.K[0, 0] == frame.K[1, 1] == 70
        found = scene.read(frame, "rgb", "depth")
        assert found.rgb is not None
        assert found.depth is not None
        assert np.array_equal(found.rgb.numpy(), made.rgb[number])
        assert np.array_equal(found.depth.numpy(), made.depth[number])
    assert data.missing(tmp_path, "alley_2") == []


def test_what_moves_by_itself_is_found(tmp_path: Path) -> None:
    write_sintel(tmp_path)
    scene = benchmark_data("sintel").open(tmp_path, "alley_2")
    wanted = np.zeros(SIZE[::-1], bool)
    wanted[PATCH] = True
    for frame in scene.frames[:-1]:
        assert np.array_equal(scene.read(frame, "dynamic").masks["dynamic"].numpy(), wanted)
    assert scene.read(scene.frames[-1], "dynamic").masks == {}
    flow = read_flo(tmp_path / "training/flow/alley_2/frame_0001.flo")
    assert flow.shape == (28, 64, 2)


def test_broken_files_are_named(tmp_path: Path) -> None:
    made = write_sintel(tmp_path)[0]
    depth = made.root / "depth/alley_2/frame_0001.dpt"
    data = depth.read_bytes()
    depth.write_bytes(data[:-4])
    with pytest.raises(ClipError, match="are not what 64x28 pixels"):
        read_dpt(depth)
    depth.write_bytes(b"PIEI" + data[4:])
    with pytest.raises(ClipError, match=r"frame_0001\.dpt: does not begin"):
        read_dpt(depth)
    camera = made.root / "camdata_left/alley_2/frame_0001.cam"
    K, _ = read_cam(camera)
    assert np.array_equal(K, made.K)
    camera.write_bytes(camera.read_bytes() + b"\0")
    with pytest.raises(ClipError, match="173 bytes long, a camera takes 172"):
        read_cam(camera)
    camera.unlink()
    with pytest.raises(ClipError, match="missing"):
        benchmark_data("sintel").open(tmp_path, "alley_2")
    depth.unlink()
    write_sintel(tmp_path / "new")
    (tmp_path / "new/training/depth/alley_2/frame_0002.dpt").unlink()
    assert "1 of 4 depth maps of alley_2" in benchmark_data("sintel").missing(tmp_path / "new", "alley_2")[0]
