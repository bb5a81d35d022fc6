"""Exported folders, opened by nerfstudio's own dataparsers and by pycolmap."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from plyfile import PlyData

from neoverse_ns.errors import RunError
from neoverse_ns.export import dataset
from neoverse_ns.export.dataset import _clear, write_dataset
from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.registry import export_format
from neoverse_ns.geometry.cameras import PinholeCameras
from tests.export.layered_scene import layered_scene
from tests.export.made_scene import FRAMES, HEIGHT, WIDTH, made_scene, truth


def zooming() -> PinholeCameras:
    """The true cameras with a focal length of their own for each frame; the pictures do not show it."""
    cameras = truth().cameras
    K = cameras.K.clone()
    K[:, :2, :2] *= torch.linspace(1, 1.002, FRAMES, dtype=torch.float64)[:, None, None]
    return PinholeCameras(cameras.c2w, K, cameras.width, cameras.height)


@pytest.fixture(scope="module", params=[False, True], ids=["one focal length", "zoom"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PinholeCameras]:
    folder = tmp_path_factory.mktemp("dataset")
    cameras = zooming() if request.param else truth().cameras
    write_dataset(made_scene(), cameras, folder)
    return folder, cameras


def homogeneous(poses: torch.Tensor) -> torch.Tensor:
    return torch.cat([poses, torch.tensor([0.0, 0, 0, 1]).expand(len(poses), 1, 4)], 1)


def check_parsed(parsed: Any, cameras: PinholeCameras, points: np.ndarray, frames: list[int]) -> None:
    """Poses, intrinsics and points after the parser has turned, centred and scaled the world, undone again."""
    read = parsed.cameras
    assert [int(p.stem.removeprefix("frame_")) for p in parsed.image_filenames] == frames
    assert all(p.is_file() for p in parsed.image_filenames)
    K = cameras.K[frames]
    for values, (row, column) in ((read.fx, (0, 0)), (read.fy, (1, 1)), (read.cx, (0, 2)), (read.cy, (1, 2))):
        torch.testing.assert_close(values[:, 0].double(), K[:, row, column], atol=1e-4, rtol=0)
    assert (read.width == WIDTH).all()
    assert (read.height == HEIGHT).all()
    assert not read.distortion_params.any()
    transform = torch.eye(4)
    transform[:3] = parsed.dataparser_transform
    ours = cameras.c2w[frames].float() * torch.tensor([1.0, -1, -1, 1])
    expected = transform @ ours
    expected[:, :3, 3] *= parsed.dataparser_scale
    torch.testing.assert_close(read.camera_to_worlds, expected[:, :3], atol=1e-5, rtol=0)
    cloud = parsed.metadata["points3D_xyz"]
    moved = (torch.from_numpy(points).float() @ transform[:3, :3].T + transform[:3, 3]) * parsed.dataparser_scale
    torch.testing.assert_close(cloud, moved, atol=1e-4, rtol=1e-4)
    assert parsed.metadata["points3D_rgb"].float().std() > 10


def cloud_of(folder: Path) -> np.ndarray:
    vertex = PlyData.read(str(folder / "sparse_pc.ply"))["vertex"]
    return np.stack([vertex[axis] for axis in "xyz"], -1)


def test_frames_of_an_earlier_clip_do_not_stay(tmp_path: Path) -> None:
    for name in ("frame_00007.png", "frame_of_mine.png"):
        (tmp_path / name).write_bytes(b"old")
    _clear(tmp_path, ["frame_00001.png"])
    assert [file.name for file in tmp_path.iterdir()] == ["frame_of_mine.png"]


def test_nerfstudio_opens_the_folder_as_splatfacto_does(written: tuple[Path, PinholeCameras]) -> None:
    parsers = pytest.importorskip("nerfstudio.data.dataparsers.nerfstudio_dataparser")
    folder, cameras = written
    # What the method splatfacto sets; nothing else is given.
    parser = parsers.NerfstudioDataParserConfig(data=folder, load_3D_points=True).setup()
    check_parsed(parser.get_dataparser_outputs("train"), cameras, cloud_of(folder), [0, 1, 3, 4, 5, 6])
    check_parsed(parser.get_dataparser_outputs("test"), cameras, cloud_of(folder), [2])


def test_splatfactos_datamanager_hands_out_the_images(written: tuple[Path, PinholeCameras]) -> None:
    """As far as a CPU goes: its model puts everything on a CUDA device."""
    parsers = pytest.importorskip("nerfstudio.data.dataparsers.nerfstudio_dataparser")
    managers = pytest.importorskip("nerfstudio.data.datamanagers.full_images_datamanager")
    folder, cameras = written
    config = managers.FullImageDatamanagerConfig(
        dataparser=parsers.NerfstudioDataParserConfig(data=folder, load_3D_points=True), cache_images_type="uint8"
    )
    manager = config.setup(device="cpu", test_mode="val")
    camera, batch = manager.next_train(0)
    frame = [0, 1, 3, 4, 5, 6][batch["image_idx"]]
    torch.testing.assert_close(batch["image"], truth().frames[frame])
    assert float(camera.fx) == pytest.approx(float(cameras.K[frame, 0, 0]), abs=1e-4)
    assert len(manager.train_dataparser_outputs.metadata["points3D_xyz"]) == len(cloud_of(folder))


def test_nerfstudios_colmap_parser_opens_it_too(written: tuple[Path, PinholeCameras]) -> None:
    parsers = pytest.importorskip("nerfstudio.data.dataparsers.colmap_dataparser")
    folder, cameras = written
    parser = parsers.ColmapDataParserConfig(data=folder).setup()
    check_parsed(parser.get_dataparser_outputs("train"), cameras, cloud_of(folder), [1, 2, 3, 4, 5, 6])
    outside = parsers.ColmapDataParserConfig(data=folder / "colmap", colmap_path=Path("sparse/0"), eval_mode="all")
    parsed = outside.setup().get_dataparser_outputs("train")
    assert all(p.is_file() for p in parsed.image_filenames)
    assert len(parsed.image_filenames) == FRAMES
    assert (parsed.metadata["points3D_num_points2D"] >= 2).all()


def test_pycolmap_finds_points_where_images_see_them(written: tuple[Path, PinholeCameras]) -> None:
    pycolmap = pytest.importorskip("pycolmap")
    folder, _ = written
    model = pycolmap.Reconstruction(str(folder / "colmap" / "sparse" / "0"))
    assert model.num_images() == FRAMES
    assert model.num_points3D() > 1000
    assert model.compute_mean_track_length() > 2.5
    assert model.compute_mean_reprojection_error() < 0.5
    off = [
        np.linalg.norm(image.project_point(model.points3D[seen.point3D_id].xyz) - seen.xy)
        for image in model.images.values()
        for seen in image.points2D
    ]
    assert max(off) < 1.5
    assert np.median(off) < 0.2
    for image in model.images.values():
        assert (folder / "colmap" / "images" / image.name).is_file()
    # Held out: in the model with its camera, but no point comes from it.
    assert [image.num_points3D for _, image in sorted(model.images.items())][2] == 0


def test_the_images_are_the_frames_once_on_disk(written: tuple[Path, PinholeCameras]) -> None:
    folder, _ = written
    for i, frame in enumerate(truth().frames):
        name = f"frame_{i:05d}.png"
        np.testing.assert_array_equal(np.asarray(Image.open(folder / "colmap" / "images" / name)), frame.numpy())
        assert os.path.samefile(folder / "images" / name, folder / "colmap" / "images" / name)


def test_disks_without_links_get_copies_and_old_ones_are_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise OSError("no links here")

    scene = made_scene()
    monkeypatch.setattr(dataset.os, "link", refuse)
    write_dataset(scene, truth().cameras, tmp_path)
    blank = replace(scene, clip=replace(scene.clip, frames=torch.zeros_like(scene.clip.frames)))
    write_dataset(blank, truth().cameras, tmp_path)
    for name in ("images", "colmap/images"):
        assert not np.asarray(Image.open(tmp_path / name / "frame_00003.png")).any()


def test_no_sure_pixel_means_cameras_alone_and_a_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scene = made_scene()
    geometry = replace(scene.geometry, confidence=torch.zeros_like(scene.geometry.confidence))
    write_dataset(replace(scene, geometry=geometry), truth().cameras, tmp_path)
    assert "cameras only" in " ".join(capsys.readouterr().out.split())
    assert len(cloud_of(tmp_path)) == 0
    parsers = pytest.importorskip("nerfstudio.data.dataparsers.nerfstudio_dataparser")
    parsed = parsers.NerfstudioDataParserConfig(data=tmp_path, load_3D_points=True).setup().get_dataparser_outputs()
    assert "points3D_xyz" not in parsed.metadata


def test_without_held_out_frames_readers_choose_their_own(tmp_path: Path) -> None:
    write_dataset(made_scene(held_out_every=0), truth().cameras, tmp_path)
    document = json.loads((tmp_path / "transforms.json").read_text("utf8"))
    assert "test_filenames" not in document
    assert document["frames"][2]["file_path"] == "images/frame_00002.png"


def test_the_format_writes_the_runs_own_cameras(tmp_path: Path) -> None:
    exported = replace(layered_scene(), cameras=zooming(), source=made_scene())
    files = export_format("colmap").write(exported, ExportOptions(time=0.5), tmp_path)
    assert [f.name for f in files] == ["images", "transforms.json", "sparse_pc.ply", "colmap"]
    frames = json.loads((tmp_path / "transforms.json").read_text("utf8"))["frames"]
    assert frames[6]["fl_x"] == pytest.approx(1.002 * frames[0]["fl_x"])
    with pytest.raises(RunError, match="no frames"):
        export_format("colmap").write(layered_scene(), ExportOptions(time=0.5), tmp_path)
