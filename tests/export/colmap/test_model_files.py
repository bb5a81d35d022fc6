"""COLMAP models, read back by other people's readers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from neoverse_ns.errors import SettingsError
from neoverse_ns.export.colmap.binary import write_binary
from neoverse_ns.export.colmap.model import colmap_model
from neoverse_ns.export.colmap.text import write_colmap_text, write_text
from neoverse_ns.export.colmap.tracks import Tracks, no_tracks
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import project
from neoverse_ns.geometry.se3 import se3_exp

NAMES = ["a.png", "b.png", "c.png", "d_ü.png"]
POINTS = 6


def example(zoom: bool = False) -> PinholeCameras:
    torch.manual_seed(0)
    K = torch.tensor([[80.0, 0, 31.5], [0, 85.0, 23.5], [0, 0, 1]], dtype=torch.float64).repeat(4, 1, 1)
    if zoom:
        K[2:, 0, 0] = torch.tensor([90.0, 95.0], dtype=torch.float64)
    return PinholeCameras(se3_exp(0.1 * torch.randn(4, 6, dtype=torch.float64)), K, 64, 48)


def tracks_of(cameras: PinholeCameras) -> Tracks:
    """Points before the cameras, seen where they project; point 4 by frames 1 and 3 only, point 0 not by frame 2."""
    points = torch.rand(POINTS, 3, dtype=torch.float64) + torch.tensor([-0.5, -0.5, 3.0])
    uv, _ = project(points, cameras.viewmats, cameras.K)
    seen = torch.ones(4, POINTS, dtype=torch.bool)
    seen[[0, 2], 4] = False
    seen[2, 0] = False
    frame, point = seen.nonzero(as_tuple=True)
    colours = torch.randint(0, 256, (POINTS, 3), dtype=torch.uint8)
    return Tracks(points, colours, torch.rand(POINTS, dtype=torch.float64), point, frame, uv[frame, point])


def check(cameras: Any, images: Any, points: Any, ours: PinholeCameras, tracks: Tracks) -> None:
    """Nerfstudio's (COLMAP's own Python) readers, in their terms, against ours."""
    assert sorted(images) == [1, 2, 3, 4]
    for number, image in images.items():
        i = number - 1
        assert image.name == NAMES[i]
        rotation = Rotation.from_quat(np.roll(image.qvec, -1)).as_matrix()
        np.testing.assert_allclose(rotation, ours.viewmats[i, :3, :3].numpy(), atol=1e-9)
        np.testing.assert_allclose(image.tvec, ours.viewmats[i, :3, 3].numpy(), atol=1e-9)
        camera = cameras[image.camera_id]
        assert (camera.model, camera.width, camera.height) == ("PINHOLE", 64, 48)
        K = ours.K[i]
        np.testing.assert_allclose(camera.params, [K[0, 0], K[1, 1], K[0, 2], K[1, 2]])
        here = tracks.frame == i
        np.testing.assert_array_equal(image.point3D_ids, tracks.point[here].numpy() + 1)
        np.testing.assert_allclose(image.xys, tracks.uv[here].numpy(), atol=1e-4)
    assert sorted(points) == list(range(1, POINTS + 1))
    for number, point in points.items():
        np.testing.assert_allclose(point.xyz, tracks.points[number - 1].numpy(), rtol=1e-7)
        np.testing.assert_array_equal(point.rgb, tracks.colours[number - 1].numpy())
        assert point.error == pytest.approx(float(tracks.errors[number - 1]), rel=1e-5)
        assert len(point.image_ids) == tracks.lengths[number - 1]
        for image, place in zip(point.image_ids, point.point2D_idxs, strict=True):
            # What the track says and what the image says is one thing.
            assert images[image].point3D_ids[place] == number


@pytest.mark.parametrize("zoom", [False, True])
@pytest.mark.parametrize("form", ["text", "binary"])
def test_nerfstudios_readers_find_what_was_written(form: str, zoom: bool, tmp_path: Path) -> None:
    read = pytest.importorskip("nerfstudio.data.utils.colmap_parsing_utils")
    ours = example(zoom)
    tracks = tracks_of(ours)
    model = colmap_model(ours, NAMES, tracks)
    if form == "text":
        write_text(model, tmp_path)
        cameras, images, points = (
            read.read_cameras_text(tmp_path / "cameras.txt"),
            read.read_images_text(tmp_path / "images.txt"),
            read.read_points3D_text(tmp_path / "points3D.txt"),
        )
    else:
        write_binary(model, tmp_path)
        cameras, images, points = (
            read.read_cameras_binary(tmp_path / "cameras.bin"),
            read.read_images_binary(tmp_path / "images.bin"),
            read.read_points3D_binary(tmp_path / "points3D.bin"),
        )
    # One camera for all frames, or one for each focal length there is.
    assert len(cameras) == (3 if zoom else 1)
    check(cameras, images, points, ours, tracks)


@pytest.mark.parametrize("form", ["text", "binary"])
def test_pycolmap_reads_the_model(form: str, tmp_path: Path) -> None:
    pycolmap = pytest.importorskip("pycolmap")
    ours = example(zoom=True)
    tracks = tracks_of(ours)
    write = write_text if form == "text" else write_binary
    write(colmap_model(ours, NAMES, tracks), tmp_path)
    model = pycolmap.Reconstruction(str(tmp_path))
    assert (model.num_images(), model.num_points3D(), model.num_cameras()) == (4, POINTS, 3)
    assert model.compute_mean_track_length() == pytest.approx(len(tracks.point) / POINTS)
    for number, image in model.images.items():
        pose = image.cam_from_world() if callable(image.cam_from_world) else image.cam_from_world
        np.testing.assert_allclose(pose.matrix(), ours.viewmats[number - 1, :3].numpy(), atol=1e-9)
        for seen in image.points2D:
            projected = image.project_point(model.points3D[seen.point3D_id].xyz)
            np.testing.assert_allclose(projected, seen.xy, atol=1e-3)


def test_a_model_without_points_still_has_all_files(tmp_path: Path) -> None:
    model = colmap_model(example(), NAMES)
    write_text(model, tmp_path)
    write_binary(model, tmp_path)
    names = [f"{name}.{end}" for name in ("cameras", "images", "points3D") for end in ("bin", "txt")]
    assert sorted(p.name for p in tmp_path.iterdir()) == names
    read = pytest.importorskip("nerfstudio.data.utils.colmap_parsing_utils")
    assert len(read.read_images_binary(tmp_path / "images.bin")) == 4
    assert len(read.read_images_text(tmp_path / "images.txt")) == 4
    assert read.read_points3D_binary(tmp_path / "points3D.bin") == {}


def test_names_must_be_as_many_as_cameras(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="'names' has 1 entries for 4"):
        write_colmap_text(tmp_path, example(), ["a"])


def test_some_points_keep_their_own_observations() -> None:
    tracks = tracks_of(example())
    keep = torch.tensor([True, False, False, True, True, False])
    some = tracks.only(keep)
    torch.testing.assert_close(some.points, tracks.points[keep])
    assert some.lengths.tolist() == tracks.lengths[keep].tolist() == [3, 4, 2]
    for point, frame, uv in zip(some.point, some.frame, some.uv, strict=True):
        old = [0, 3, 4][int(point)]
        there = (tracks.point == old) & (tracks.frame == frame)
        torch.testing.assert_close(uv, tracks.uv[there][0])
    assert len(no_tracks()) == 0
    assert no_tracks().lengths.shape == (0,)
