"""Camera files, each read back by another program's reader, or by a few lines that know the format."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from neoverse_ns.export.axes import TURNS, Up
from neoverse_ns.export.cameras import write
from neoverse_ns.export.cameras.write import write_cameras
from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.registry import export_format
from neoverse_ns.export.usd.modules import pxr
from tests.export.cameras.flown_scene import HEIGHT, WIDTH, flown_scene, pixels, points_before

SCENE = flown_scene(1.0)
STRETCHED = flown_scene()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written")
    options = ExportOptions()
    export_format("cameras").check(options)
    files = export_format("cameras").write(STRETCHED, options, folder)
    assert {file.parent for file in files} == {folder / "cameras"}
    assert all(file.exists() for file in files)
    return folder / "cameras"


def test_our_json_holds_everything(written: Path) -> None:
    document = json.loads((written / "cameras.json").read_text())
    assert (document["convention"], document["width"], document["height"]) == ("opencv_c2w", WIDTH, HEIGHT)
    assert document["fps"] == pytest.approx(3.2)
    np.testing.assert_allclose([f["c2w"] for f in document["frames"]], STRETCHED.cameras.c2w)
    np.testing.assert_allclose([f["K"] for f in document["frames"]], STRETCHED.cameras.K)
    assert [f["second"] for f in document["frames"]] == [2.0, 2.25, 2.5, 3.0, 3.25]


def test_tum_holds_the_poses_at_their_seconds(written: Path) -> None:
    rows, c2w = np.loadtxt(written / "cameras.tum"), STRETCHED.cameras.c2w.numpy()
    np.testing.assert_allclose(rows[:, 0], STRETCHED.seconds)
    np.testing.assert_allclose(rows[:, 1:4], c2w[:, :3, 3], atol=1e-7)
    np.testing.assert_allclose(Rotation.from_quat(rows[:, 4:]).as_matrix(), c2w[:, :3, :3], atol=1e-7)


def test_colmap_sees_points_where_our_cameras_see_them(written: Path) -> None:
    sparse = written / "colmap" / "sparse" / "0"
    rows = [line.split() for line in (sparse / "cameras.txt").read_text().splitlines() if line[0] != "#"]
    lenses = {row[0]: [float(value) for value in row[4:]] for row in rows}
    images = [line.split() for line in (sparse / "images.txt").read_text().splitlines() if line and line[0] != "#"]
    assert [row[9] for row in images] == [f"frame_{i:05d}.png" for i in range(5)]
    for i, row in enumerate(images):
        w, x, y, z, *t = (float(value) for value in row[1:8])
        points = points_before(STRETCHED.cameras.c2w[i])
        seen = points.numpy() @ Rotation.from_quat([x, y, z, w]).as_matrix().T + t
        fx, fy, cx, cy = lenses[row[8]]
        uv = seen[:, :2] / seen[:, 2:] * [fx, fy] + [cx, cy]
        np.testing.assert_allclose(uv, pixels(points, STRETCHED.cameras.c2w[i], STRETCHED.cameras.K[i]), atol=1e-5)
    assert (sparse / "images.bin").stat().st_size > 5 * 64


def test_transforms_are_opengl_cameras(written: Path) -> None:
    document = json.loads((written / "transforms.json").read_text())
    for i, frame in enumerate(document["frames"]):
        turned = STRETCHED.cameras.c2w[i].numpy() * [1, -1, -1, 1]
        np.testing.assert_allclose(frame["transform_matrix"], turned, atol=1e-9)
        lens = (frame["fl_x"], frame["fl_y"], frame["cx"], frame["cy"], frame["w"], frame["h"])
        assert lens == pytest.approx((80 + 5 * i, 1.1 * (80 + 5 * i), 41, 37.5, 96, 64))
        assert frame["time"] == pytest.approx(float(STRETCHED.times[i]))


def test_nerfstudio_reads_the_camera_path(tmp_path: Path) -> None:
    paths = pytest.importorskip("nerfstudio.cameras.camera_paths")
    write_cameras(SCENE, ExportOptions(), tmp_path)
    document = json.loads((tmp_path / "cameras" / "camera_path.json").read_text())
    cameras = paths.get_path_from_json(document)
    turn = torch.eye(4, dtype=torch.float64)
    turn[:3, :3] = TURNS["z"]
    expected = turn @ SCENE.cameras.c2w * torch.tensor([1.0, -1.0, -1.0, 1.0])
    torch.testing.assert_close(cameras.camera_to_worlds.double(), expected[:, :3], atol=1e-6, rtol=0)
    assert cameras.fy.flatten().tolist() == pytest.approx([80, 85, 90, 95, 100], rel=1e-5)
    assert cameras.times.flatten().tolist() == pytest.approx(SCENE.times.tolist())
    assert document["fps"] == pytest.approx(3.2)


@pytest.mark.parametrize("up", ["y", "z"])
def test_usd_sees_points_where_our_cameras_see_them(up: Up, tmp_path: Path) -> None:
    pytest.importorskip("pxr", reason="needs usd-core")
    Usd, UsdGeom = pxr("Usd"), pxr("UsdGeom")
    write_cameras(STRETCHED, ExportOptions(up=up), tmp_path)
    stage = Usd.Stage.Open(str(tmp_path / "cameras" / "camera.usda"))
    assert UsdGeom.GetStageUpAxis(stage) == up.upper()
    assert (stage.GetStartTimeCode(), stage.GetEndTimeCode()) == (0, pytest.approx(4))
    assert stage.GetTimeCodesPerSecond() == pytest.approx(3.2)
    (camera,) = [UsdGeom.Camera(prim) for prim in stage.Traverse() if prim.IsA(UsdGeom.Camera)]
    assert camera.GetFocalLengthAttr().GetTimeSamples() == pytest.approx([0, 0.8, 1.6, 3.2, 4])
    for i, code in enumerate((0, 0.8, 1.6, 3.2, 4)):
        frustum = camera.GetCamera(Usd.TimeCode(code)).frustum
        seen = np.array(frustum.ComputeViewMatrix()) @ np.array(frustum.ComputeProjectionMatrix())
        points = points_before(STRETCHED.cameras.c2w[i])
        there = np.concatenate([points.numpy() @ TURNS[up].double().numpy().T, np.ones((8, 1))], axis=1)
        clip = there @ seen
        uv = (clip[:, :2] / clip[:, 3:] * [0.5, -0.5] + 0.5) * [WIDTH, HEIGHT]
        expected = pixels(points, STRETCHED.cameras.c2w[i], STRETCHED.cameras.K[i])
        np.testing.assert_allclose(uv, expected, atol=1e-3)


def test_without_usd_the_others_are_written_and_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(write, "find_spec", lambda name: None)
    files = write_cameras(SCENE, ExportOptions(), tmp_path)
    assert not (tmp_path / "cameras" / "camera.usda").exists()
    assert len(files) == 6
    assert "neoverse-ns[exports]" in capsys.readouterr().out


def test_another_path_is_written_in_its_stead(tmp_path: Path) -> None:
    write_cameras(SCENE, ExportOptions(trajectory="pan_left", every=8), tmp_path)
    document = json.loads((tmp_path / "cameras" / "cameras.json").read_text())
    assert len(document["frames"]) == 11
    assert document["fps"] == 2
    assert document["frames"][-1]["second"] == 5
