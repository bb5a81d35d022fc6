"""glTF and SPZ of an instant, read back and drawn."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from _benchmark.export_readers import glb_accessor, glb_parts, read_glb, read_spz

from neoverse_ns.export.axes import TURNS
from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.registry import export_format
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.geometry.interpolation import camera_at
from neoverse_ns.metrics.image import psnr
from tests.export.drawn import decibels, layered, picture
from tests.export.layered_scene import HEIGHT, WIDTH, moving_scene

FRAME = 1


@pytest.fixture(scope="module")
def scene() -> ExportScene:
    return moving_scene()


@pytest.fixture(scope="module")
def glb(scene: ExportScene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    (path,) = export_format("glb").write(scene, ExportOptions(frame=FRAME), tmp_path_factory.mktemp("glb"))
    return path


def test_glb_shows_the_instant_with_y_up(scene: ExportScene, glb: Path) -> None:
    time = float(scene.times[FRAME])
    now, camera = read_glb(glb)
    shown = decibels(scene, time, now, up="y")
    assert shown[0] > 42
    assert min(shown) > 34
    # Its own camera stands where the clip's does.
    own = camera_at(scene.cameras, scene.times, time)
    torch.testing.assert_close(camera.c2w[0, :3, :3], TURNS["y"] @ own.c2w[0, :3, :3], atol=1e-5, rtol=0)
    torch.testing.assert_close(camera.c2w[0, :3, 3], TURNS["y"] @ own.c2w[0, :3, 3], atol=1e-5, rtol=0)
    assert camera.width / camera.height == pytest.approx(WIDTH / HEIGHT)
    assert camera.K[0, 1, 1] / camera.height == pytest.approx(float(own.K[0, 1, 1]) / HEIGHT, rel=1e-4)


def test_glb_keeps_to_the_extension(glb: Path) -> None:
    document, binary = glb_parts(glb)
    assert document["extensionsUsed"] == ["KHR_gaussian_splatting"]
    assert document["buffers"] == [{"byteLength": len(binary)}]
    (primitive,) = document["meshes"][0]["primitives"]
    assert primitive["mode"] == 0
    extension = primitive["extensions"]["KHR_gaussian_splatting"]
    assert (extension["kernel"], extension["colorSpace"]) == ("ellipse", "srgb_rec709_display")
    positions = document["accessors"][primitive["attributes"]["POSITION"]]
    values = glb_accessor(document, binary, primitive["attributes"]["POSITION"])
    assert positions["min"] == pytest.approx(values.min(axis=0).tolist())
    assert positions["max"] == pytest.approx(values.max(axis=0).tolist())
    assert all(view["byteOffset"] % 4 == 0 for view in document["bufferViews"])
    turns = glb_accessor(document, binary, primitive["attributes"]["KHR_gaussian_splatting:ROTATION"])
    torch.testing.assert_close(torch.from_numpy(turns.copy()).norm(dim=1), torch.ones(len(turns)))
    assert document["accessors"][primitive["attributes"]["COLOR_0"]]["normalized"]


def test_another_reader_finds_the_same_in_the_glb(scene: ExportScene, glb: Path) -> None:
    gltf = pytest.importorskip("fourdgs.gltf")
    theirs = gltf.from_gltf(str(glb)).gaussians
    now, _ = read_glb(glb)
    torch.testing.assert_close(torch.from_numpy(theirs.positions), now.means, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(torch.from_numpy(theirs.scales), now.scales, atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(torch.from_numpy(theirs.colors[:, 3]), now.opacities, atol=1e-5, rtol=1e-4)


def test_glb_is_the_same_for_the_same_scene(scene: ExportScene, glb: Path, tmp_path: Path) -> None:
    (again,) = export_format("glb").write(scene, ExportOptions(frame=FRAME), tmp_path)
    assert again.read_bytes() == glb.read_bytes()


def test_spz_shows_the_instant_with_y_up(scene: ExportScene, tmp_path: Path) -> None:
    pytest.importorskip("gsply")
    write, options = export_format("spz").write, ExportOptions(frame=FRAME)
    (path,) = write(scene, options, tmp_path)
    before = path.read_bytes()
    shown = decibels(scene, float(scene.times[FRAME]), read_spz(path), up="y")
    assert shown[0] > 38
    assert min(shown) > 33
    assert write(scene, options, tmp_path)[0].read_bytes() == before


def test_the_reading_tells_a_wrong_instant(scene: ExportScene, glb: Path) -> None:
    now, camera = read_glb(glb)
    own = camera_at(scene.cameras, scene.times, 0.75)
    assert psnr(picture(now, own)[0], layered(scene, 0.75, own)[0]) < 25
    assert camera.height == 1000
