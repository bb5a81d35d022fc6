"""The scripts that draw pictures, on truth instead of an estimate."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
import show_geometry
import torch
from make_pictures import beside, held_out_picture, new_views_picture, spread, tile
from show_geometry import draw_page

from neoverse_ns.clip.synthetic import SyntheticClip, render_synthetic
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.rasterize.drawing import Drawing
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.split import FrameSplit


@pytest.fixture(scope="module")
def truth() -> SyntheticClip:
    return render_synthetic(5, 96, 64)


def test_geometry_page_is_written(truth: SyntheticClip, tmp_path: Path) -> None:
    keyframes = [0, 2, 4]
    geometry = SceneGeometry(
        truth.cameras,
        keyframes,
        truth.depth[keyframes],
        torch.ones(3, 64, 96),
        truth.dynamic[keyframes],
        {"kind": "truth", "seconds": {"flow": 0.5}},
    )
    draw_page(truth.as_clip(), geometry, columns=2).savefig(tmp_path / "page.png", dpi=40)
    page = cv2.imread(str(tmp_path / "page.png"))
    assert page.std() > 20
    # Moving points are drawn in pure red (BGR here), which nothing else on the page is.
    assert ((page[:, :, 2] > 200) & (page[:, :, 0] < 60) & (page[:, :, 1] < 60)).sum() > 5


def test_geometry_page_of_a_camera_that_stays(truth: SyntheticClip) -> None:
    still = replace(truth.cameras, c2w=truth.cameras.c2w[[0, 0, 0, 0, 0]])
    geometry = SceneGeometry(still, [0], truth.depth[:1], torch.ones(1, 64, 96), truth.dynamic[:1])
    page = draw_page(truth.as_clip(), geometry, columns=5)
    titles = [axes.get_title() for axes in page.get_axes()]
    assert "the camera stays in its place" in titles
    moving = draw_page(truth.as_clip(), replace(geometry, cameras=truth.cameras), columns=5)
    plan, path = moving.get_axes()[4:6]
    assert path.get_title() == "camera path from above"
    for axes in (plan, path):
        (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
        x, z = truth.cameras.c2w[:, 0, 3], truth.cameras.c2w[:, 2, 3]
        assert ((left < x) & (x < right) & (low < z) & (z < high)).all()


def test_a_picture_format_that_does_not_exist_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["show_geometry.py", str(tmp_path / "absent.mp4"), str(tmp_path / "page.mov")])
    assert show_geometry.main() == 1
    output = capsys.readouterr().out
    assert "page.mov: no picture format of that suffix" in output
    assert "png" in output


def test_pictures_show_the_truth_above_the_drawing(truth: SyntheticClip) -> None:
    from neoverse_ns.plugin.run import OpenRun

    def drawings(views: PinholeCameras, times: torch.Tensor) -> list[Drawing]:
        flat = torch.zeros(1, 64, 96, 1)
        return [Drawing((flat + int(100 * time) / 255).expand(-1, -1, -1, 3), flat, flat) for time in times]

    run = OpenRun(truth.as_clip(), FrameSplit([0, 1, 3, 4], [2], [0, 4]), truth.cameras, drawings)
    page = held_out_picture(run, 3)
    assert torch.equal(page[:64], truth.frames[2])
    assert (page[68:] == 50).all()
    views = new_views_picture(run, 3, 0.1, 3.0)
    assert views.shape == (2 * 64 + 4, 3 * 96 + 8, 3)
    assert (views[:64, :96] == 25).all()


def test_new_cameras_stand_aside_and_look_back(truth: SyntheticClip) -> None:
    places = torch.tensor([-1.0, 0.0, 1.0])
    moved = beside(truth.cameras[[2, 2, 2]], places, aside=0.5, turn_degrees=4.0)
    relative = torch.linalg.inv(truth.cameras.c2w[2]) @ moved.c2w
    assert torch.allclose(relative[1], torch.eye(4, dtype=torch.float64), atol=1e-6)
    assert relative[2, 0, 3].item() == pytest.approx(0.5, abs=0.01)
    assert relative[2, 0, 2].item() == pytest.approx(-torch.tensor(4.0).deg2rad().sin().item(), abs=1e-6)


def test_tiles_and_spreading() -> None:
    one, two = torch.zeros(2, 3, 3, dtype=torch.uint8), torch.ones(2, 3, 3, dtype=torch.uint8)
    page = tile([[one, two], [two]])
    assert page.shape == (8, 10, 3)
    assert (page[6:, :3] == 1).all()
    assert (page[6:, 7:] == 255).all()
    assert spread(list(range(9)), 3) == [1, 4, 7]
    assert spread([5], 3) == [5]
