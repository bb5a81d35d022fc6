"""Animated USD, opened and sampled by USD itself, drawn from the camera in it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from _benchmark.export_readers import read_usd

from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.registry import export_format
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.interpolation import camera_at
from neoverse_ns.metrics.image import psnr
from tests.export.drawn import decibels, picture
from tests.export.layered_scene import HEIGHT, WIDTH, moving_scene

Usd = pytest.importorskip("pxr.Usd")


@pytest.fixture(scope="module")
def scene() -> ExportScene:
    """With lenses that differ from frame to frame, of other focal lengths across and along and off the middle."""
    scene = moving_scene()
    K = scene.cameras.K.clone()
    K[:, 0, 0] *= torch.linspace(1.0, 1.1, len(K))
    K[:, 0, 2] += 3.0
    K[:, 1, 2] -= 2.0
    return replace(scene, cameras=PinholeCameras(scene.cameras.c2w, K, WIDTH, HEIGHT))


@pytest.mark.parametrize("up", ["y", "z"])
def test_the_camera_in_the_file_sees_every_frame(scene: ExportScene, up: str, tmp_path: Path) -> None:
    (path,) = export_format("usd").write(scene, ExportOptions(up=up), tmp_path)
    for time in scene.times[[0, 1, 4]].tolist():
        second = scene.second_at(time) - scene.second_at(0.0)
        now, camera = read_usd(path, second, HEIGHT)
        own = camera_at(scene.cameras, scene.times, time)
        expected = picture(scene.instant(time, quick=True), own)[0]
        # Pixels of USD cameras are square; the width follows.
        assert camera.width == round(WIDTH * float(own.K[0, 1, 1] / own.K[0, 0, 0]))
        squeezed = PinholeCameras(camera.c2w, camera.K.clone(), WIDTH, HEIGHT)
        squeezed.K[:, 0] *= own.K[0, 0, 0] / own.K[0, 1, 1]
        torch.testing.assert_close(squeezed.K, own.K, atol=1e-2, rtol=0)
        assert psnr(picture(now, squeezed)[0], expected) > 60
        assert min(decibels(scene, time, now, up)) > 34


def test_the_stage_says_what_it_is(scene: ExportScene, tmp_path: Path) -> None:
    (path,) = export_format("usd").write(scene, ExportOptions(fps=16.0, up="z"), tmp_path)
    stage = Usd.Stage.Open(str(path))
    assert (stage.GetTimeCodesPerSecond(), stage.GetStartTimeCode(), stage.GetEndTimeCode()) == (16.0, 0.0, 8.0)
    assert stage.GetMetadata("upAxis") == "Z"
    assert stage.GetDefaultPrim().GetPath() == "/World"
    prim = stage.GetPrimAtPath("/World/Gaussians")
    positions = prim.GetAttribute("positions")
    assert positions.GetTimeSamples() == [float(i) for i in range(9)]
    counts = [len(positions.Get(code)) for code in positions.GetTimeSamples()]
    # Else USD would blend Gaussians of two instants that have nothing to do with each other.
    assert all(a != b for a, b in pairwise(counts))
    held, there = (prim.GetAttribute("positions").Get(code) for code in (2.5, 2.0))
    assert len(held) == len(there)
    low, high = prim.GetAttribute("extent").Get(2.0)
    inside = [all(low[i] <= p[i] <= high[i] for i in range(3)) for p in list(there)[::500]]
    assert all(inside)
    # Codes of frames that keep their own times: 24 a second.
    (tmp_path / "frames").mkdir()
    (path,) = export_format("usd").write(scene, ExportOptions(every=2), tmp_path / "frames")
    stage = Usd.Stage.Open(str(path))
    codes = stage.GetPrimAtPath("/World/Gaussians").GetAttribute("scales").GetTimeSamples()
    assert codes == pytest.approx([0.0, 6.0, 12.0])


def test_equal_counts_get_one_that_does_not_show(scene: ExportScene, tmp_path: Path) -> None:
    (path,) = export_format("usd").write(scene, ExportOptions(max_gaussians=500), tmp_path)
    stage = Usd.Stage.Open(str(path))
    prim = stage.GetPrimAtPath("/World/Gaussians")
    codes = prim.GetAttribute("positions").GetTimeSamples()
    for name in ("positions", "orientations", "scales", "opacities", "radiance:sphericalHarmonicsCoefficients"):
        assert [len(prim.GetAttribute(name).Get(code)) for code in codes] == [500, 501, 500, 501, 500], name
    assert prim.GetAttribute("opacities").Get(codes[1])[500] == 0.0


def test_usd_is_the_same_for_the_same_scene(scene: ExportScene, tmp_path: Path) -> None:
    blobs = []
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        (path,) = export_format("usd").write(scene, ExportOptions(every=4), tmp_path / place)
        blobs.append(path.read_bytes())
    assert blobs[0] == blobs[1]
