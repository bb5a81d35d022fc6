"""NVIDIA's layouts, written from known cameras and read back."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.registry import benchmark_data
from neoverse_ns.evaluation.data.scene import BenchmarkFrame, BenchmarkScene
from tests.evaluation.data import fabricate_world as world
from tests.evaluation.data.fabricate_nvidia import FabricatedRig, write_mono, write_nsff

SIZE = (32, 18)


@pytest.fixture(scope="module")
def mono(tmp_path_factory: pytest.TempPathFactory) -> FabricatedRig:
    return write_mono(tmp_path_factory.mktemp("mono"), ("Skating",), SIZE)[0]


@pytest.fixture(scope="module")
def nsff(tmp_path_factory: pytest.TempPathFactory) -> FabricatedRig:
    return write_nsff(tmp_path_factory.mktemp("nsff"), ("Skating",), 13, SIZE)[0]


def opened(made: FabricatedRig, name: str) -> BenchmarkScene:
    data = benchmark_data(name)
    assert data.find(made.folder.parent) == ["Skating"]
    assert data.missing(made.folder.parent, "Skating") == []
    return data.open(made.folder.parent, "Skating")


def agrees(frame: BenchmarkFrame, made: FabricatedRig, camera: int) -> bool:
    assert frame.c2w is not None
    assert frame.K is not None
    return bool((frame.c2w - made.c2w[camera]).abs().max() < 1e-6 and (frame.K - made.K).abs().max() < 1e-4)


def test_the_camera_that_jumps_and_the_first_that_stands(mono: FabricatedRig) -> None:
    scene = opened(mono, "nvidia-mono12")
    assert [(f.camera, f.time) for f in scene.frames] == [("0", t) for t in range(12)] + [("1", t) for t in range(12)]
    for frame in scene.frames:
        assert agrees(frame, mono, frame.time if frame.camera == "0" else 0), frame.name
        assert (frame.width, frame.height) == SIZE
    last = scene.frames[-1]
    assert last.name == "gt/v000_t011.png"
    rgb = scene.read(last).rgb
    assert rgb is not None
    assert np.array_equal(rgb.numpy(), world.picture(1.0, mono.c2w[0], mono.K, SIZE, rays=1))
    assert "dynamic" not in scene.read(last, "dynamic").masks


def test_truth_may_lie_beside_the_scenes(mono: FabricatedRig, tmp_path: Path) -> None:
    made = write_mono(tmp_path, ("Truck",), (16, 12))[0]
    (tmp_path / "gt").mkdir()
    (made.folder / "gt").rename(tmp_path / "gt/Truck")
    scene = benchmark_data("nvidia-mono12").open(tmp_path, "Truck")
    assert scene.frames[12].name == "../gt/Truck/v000_t000.png"
    assert scene.read(scene.frames[12]).rgb is not None
    (tmp_path / "gt/Truck/v000_t000.png").unlink()
    scene = benchmark_data("nvidia-mono12").open(tmp_path, "Truck")
    assert len(scene.frames) == 12
    assert benchmark_data("nvidia-mono12").missing(tmp_path, "Truck") == [
        "Truck: none of 12 true pictures is there (gt/v000_t000.png)"
    ]


def test_the_rig_beside_the_camera_that_jumps(nsff: FabricatedRig) -> None:
    scene = opened(nsff, "nvidia-nsff24")
    cameras = {camera: [f for f in scene.frames if f.camera == camera] for camera in map(str, range(13))}
    assert [len(cameras[camera]) for camera in map(str, range(13))] == [13, 11, *[12] * 11]
    for camera, frames in cameras.items():
        for frame in frames:
            assert agrees(frame, nsff, frame.time % 12 if camera == "0" else int(camera) - 1), frame.name
    assert cameras["0"][12].name == "dense/images_32x18/00012.png"
    assert cameras["3"][4].name == "dense/mv_images/00005/cam03.jpg"


def test_truth_is_averaged_and_masks_are_not(nsff: FabricatedRig) -> None:
    scene = opened(nsff, "nvidia-nsff24")
    frame = next(f for f in scene.frames if (f.camera, f.time) == ("5", 7))
    found = scene.read(frame, "rgb", "dynamic")
    stored = cv2.imread(str(nsff.folder / frame.name))
    assert stored is not None
    assert stored.shape == (36, 64, 3)
    assert found.rgb is not None
    averages = stored[..., ::-1].reshape(18, 2, 32, 2, 3).astype(float).mean((1, 3))
    assert np.abs(found.rgb.numpy() - averages).max() <= 0.5
    _, moves = world.truth(7 / 12, nsff.c2w[4], nsff.K, SIZE)
    assert 0.01 < moves.mean() < 0.5
    assert (found.masks["dynamic"].numpy() != moves).mean() < 0.03


def test_whole_videos_have_cameras_of_their_own(tmp_path: Path) -> None:
    made = write_nsff(tmp_path, frames=12, size=(16, 12), poses="poses_bounds_cvd.npy", drawn=False)[0]
    scene = benchmark_data("nvidia-long").open(tmp_path, "Jumping")
    assert all(agrees(f, made, f.time if f.camera == "0" else int(f.camera) - 1) for f in scene.frames)
    with pytest.raises(ClipError, match="holds no clips as nvidia-nsff24 has them"):
        benchmark_data("nvidia-nsff24").find(tmp_path)


def test_what_is_wrong_is_told(tmp_path: Path) -> None:
    made = write_nsff(tmp_path, frames=12, size=(16, 12), drawn=False)[0]
    data = benchmark_data("nvidia-nsff24")
    (made.folder / "dense/mv_images/00003/cam01.jpg").unlink()
    assert data.missing(tmp_path, "Jumping") == [
        "Jumping: 1 of 132 pictures of the rig are missing, the first of them dense/mv_images/00003/cam01.jpg"
    ]
    poses = made.folder / "dense/poses_bounds.npy"
    table = np.load(poses)
    np.save(poses, table[:-1])
    with pytest.raises(ClipError, match=r"has 12 pictures and 11 cameras in dense/poses_bounds.npy"):
        data.open(tmp_path, "Jumping")
    table[3, :3] = 0
    np.save(poses, table)
    with pytest.raises(ClipError, match=r"poses_bounds.npy: the pose is no rigid motion"):
        data.open(tmp_path, "Jumping")
    (made.folder / "dense/images_16x12").rename(made.folder / "dense/pictures")
    with pytest.raises(ClipError, match="0 folders of pictures named as images_512x288"):
        data.open(tmp_path, "Jumping")
