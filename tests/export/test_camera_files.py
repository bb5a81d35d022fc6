"""Camera exports: read back by independent readers."""

import json
import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from neoverse_ns.errors import SettingsError
from neoverse_ns.export.camera_files import cameras_json, transforms_json, write_colmap_text, write_tum
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import project
from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.trajectory.plain_json import plain


def example(count: int = 4) -> PinholeCameras:
    torch.manual_seed(0)
    K = torch.tensor([[80.0, 0, 31.5], [0, 85.0, 23.5], [0, 0, 1]], dtype=torch.float64).repeat(count, 1, 1)
    return PinholeCameras(se3_exp(torch.randn(count, 6, dtype=torch.float64)), K, 64, 48)


def test_cameras_json_is_exact_and_strict():
    cameras = example()
    report = {
        "residual": math.nan, "worst": torch.tensor(math.inf), "note": "x",
        "count": np.int64(3), "list": (1.5, None), "seconds": {"flow": np.float32(0.5)},
    }  # fmt: skip
    document = cameras_json(cameras, torch.tensor([10, 12, 14, 16]), [0.4, 0.5, 0.6, 0.7], [0, 3], report)
    back = json.loads(json.dumps(document, allow_nan=False))
    assert list(back) == ["convention", "width", "height", "frames", "report"]
    assert (back["convention"], back["width"], back["height"]) == ("opencv_c2w", 64, 48)
    assert [list(frame) for frame in back["frames"]] == [["frame_index", "time_sec", "c2w", "K", "is_keyframe"]] * 4
    assert [frame["frame_index"] for frame in back["frames"]] == [10, 12, 14, 16]
    assert [frame["time_sec"] for frame in back["frames"]] == [0.4, 0.5, 0.6, 0.7]
    assert [frame["is_keyframe"] for frame in back["frames"]] == [True, False, False, True]
    np.testing.assert_array_equal([frame["c2w"] for frame in back["frames"]], cameras.c2w.numpy())
    np.testing.assert_array_equal([frame["K"] for frame in back["frames"]], cameras.K.numpy())
    assert back["report"] == {
        "residual": None, "worst": None, "note": "x", "count": 3, "list": [1.5, None], "seconds": {"flow": 0.5},
    }  # fmt: skip


def test_plain_keeps_what_json_has():
    assert plain({1: [True, 2, "a", -math.inf], "b": np.zeros((1, 2))}) == {"1": [True, 2, "a", None], "b": [[0, 0]]}


def test_tum_lines_hold_the_poses(tmp_path):
    cameras = example()
    write_tum(tmp_path / "poses.txt", cameras.c2w, [0.0, 0.04, 0.08, 0.12])
    rows = np.loadtxt(tmp_path / "poses.txt")
    np.testing.assert_allclose(rows[:, 0], [0, 0.04, 0.08, 0.12])
    np.testing.assert_allclose(rows[:, 1:4], cameras.c2w[:, :3, 3].numpy(), atol=1e-8)
    np.testing.assert_allclose(Rotation.from_quat(rows[:, 4:]).as_matrix(), cameras.c2w[:, :3, :3].numpy(), atol=1e-8)


def test_colmap_text_projects_points_where_our_cameras_do(tmp_path):
    cameras = example()
    cameras.K[2:, 0, 0] = 90.0
    points = torch.randn(6, 3, dtype=torch.float64)
    colours = torch.randint(0, 256, (6, 3), dtype=torch.uint8)
    folder = tmp_path / "sparse" / "0"
    write_colmap_text(folder, cameras, ["a.png", "b.png", "c.png", "d d.png"], points, colours)

    def rows(name: str) -> list[str]:
        return [line for line in (folder / name).read_text().split("\n")[:-1] if not line.startswith("#")]

    intrinsics = {}
    for line in rows("cameras.txt"):
        number, model, width, height, *parameters = line.split()
        assert (model, width, height) == ("PINHOLE", "64", "48")
        intrinsics[number] = [float(p) for p in parameters]
    assert len(intrinsics) == 2
    images = rows("images.txt")
    assert len(images) == 8
    assert images[1::2] == [""] * 4
    cloud = np.array([[float(x) for x in line.split()] for line in rows("points3D.txt")])
    np.testing.assert_array_equal(cloud[:, 4:7], colours.numpy())
    expected_uv, expected_z = project(points, cameras.viewmats, cameras.K)
    for i, line in enumerate(images[::2]):
        number, qw, qx, qy, qz, tx, ty, tz, camera, name = line.split(" ", 9)
        assert (int(number), name) == (i + 1, ["a.png", "b.png", "c.png", "d d.png"][i])
        rotation = Rotation.from_quat([float(qx), float(qy), float(qz), float(qw)])
        seen = rotation.apply(cloud[:, 1:4]) + np.array([float(tx), float(ty), float(tz)])
        fx, fy, cx, cy = intrinsics[camera]
        np.testing.assert_allclose(seen[:, 2], expected_z[i].numpy(), atol=1e-6)
        uv = seen[:, :2] / seen[:, 2:] * [fx, fy] + [cx, cy]
        np.testing.assert_allclose(uv, expected_uv[i].numpy(), rtol=1e-5, atol=1e-4)


def test_colmap_without_points_still_has_all_files(tmp_path):
    write_colmap_text(tmp_path, example(1), ["a.png"])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cameras.txt", "images.txt", "points3D.txt"]


def test_pycolmap_reads_the_model(tmp_path):
    pycolmap = pytest.importorskip("pycolmap")
    cameras = example()
    write_colmap_text(tmp_path, cameras, ["a", "b", "c", "d"], torch.randn(3, 3))
    model = pycolmap.Reconstruction(str(tmp_path))
    assert (model.num_images(), model.num_points3D()) == (4, 3)
    pose = model.images[2].cam_from_world
    pose = pose() if callable(pose) else pose
    np.testing.assert_allclose(pose.matrix(), cameras.viewmats[1, :3].numpy(), atol=1e-9)


def test_transforms_json_is_in_opengl_axes():
    cameras = example()
    document = transforms_json(cameras, ["images/0.png"] * 4, torch.linspace(0, 1, 4))
    json.dumps(document, allow_nan=False)
    frame = document["frames"][1]
    matrix = np.array(frame["transform_matrix"])
    np.testing.assert_allclose(matrix[:, 0], cameras.c2w[1, :, 0].numpy())
    np.testing.assert_allclose(matrix[:3, 1:3], -cameras.c2w[1, :3, 1:3].numpy())
    np.testing.assert_allclose(matrix[:, 3], cameras.c2w[1, :, 3].numpy())
    assert (frame["fl_x"], frame["fl_y"], frame["cx"], frame["cy"], frame["w"], frame["h"]) == (
        80,
        85,
        31.5,
        23.5,
        64,
        48,
    )
    assert frame["time"] == pytest.approx(1 / 3)


def test_nerfstudio_reads_the_transforms(tmp_path):
    parser = pytest.importorskip("nerfstudio.data.dataparsers.nerfstudio_dataparser")
    image = pytest.importorskip("PIL.Image")
    cameras = example()
    names = []
    for i in range(4):
        names.append(f"{i}.png")
        image.new("RGB", (64, 48)).save(tmp_path / names[-1])
    (tmp_path / "transforms.json").write_text(json.dumps(transforms_json(cameras, names)))
    config = parser.NerfstudioDataParserConfig(
        data=tmp_path, orientation_method="none", center_method="none", auto_scale_poses=False,
        eval_mode="all", downscale_factor=1, load_3D_points=False,
    )  # fmt: skip
    read = config.setup().get_dataparser_outputs("train").cameras
    expected = cameras.c2w[:, :3].float() * torch.tensor([1.0, -1.0, -1.0, 1.0])
    torch.testing.assert_close(read.camera_to_worlds, expected, atol=1e-6, rtol=0)
    assert read.fy.flatten().tolist() == [85.0] * 4
    assert read.cx.flatten().tolist() == [31.5] * 4


def test_lists_of_other_lengths_are_refused(tmp_path):
    cameras = example()
    with pytest.raises(SettingsError, match="'names' has 1 entries for 4"):
        write_colmap_text(tmp_path, cameras, ["a"])
    with pytest.raises(SettingsError, match="seconds"):
        write_tum(tmp_path / "t.txt", cameras.c2w, [0.0])
    with pytest.raises(SettingsError, match="frame_indices"):
        cameras_json(cameras, [1], [0.0] * 4, [], {})
