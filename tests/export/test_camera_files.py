"""Camera exports: read back by independent readers."""

import json
import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from neoverse_ns.errors import SettingsError
from neoverse_ns.export.camera_files import cameras_json, transforms_json, write_tum
from neoverse_ns.geometry.cameras import PinholeCameras
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
    # All frames share their intrinsics, so that they stand above them, too.
    assert (document["fl_x"], document["cy"], document["w"]) == (80, 23.5, 64)
    assert "train_filenames" not in document
    assert "ply_file_path" not in document


def test_transforms_json_of_a_zoom_has_intrinsics_of_each_frame_alone():
    cameras = example()
    cameras.K[:, 0, 0] += torch.arange(4)
    document = transforms_json(cameras, ["a", "b", "c", "d"], held_out=[2], points_file="points.ply")
    assert [frame["fl_x"] for frame in document["frames"]] == [80, 81, 82, 83]
    assert not {"fl_x", "fl_y", "cx", "cy", "w", "h"} & document.keys()
    assert document["ply_file_path"] == "points.ply"
    assert document["train_filenames"] == ["a", "b", "d"]
    assert document["val_filenames"] == document["test_filenames"] == ["c"]


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
    with pytest.raises(SettingsError, match="'file_paths' has 1 entries for 4"):
        transforms_json(cameras, ["a"])
    with pytest.raises(SettingsError, match="seconds"):
        write_tum(tmp_path / "t.txt", cameras.c2w, [0.0])
    with pytest.raises(SettingsError, match="frame_indices"):
        cameras_json(cameras, [1], [0.0] * 4, [], {})
