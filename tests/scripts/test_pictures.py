"""The scripts that draw pictures, on truth instead of an estimate."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
import torch
from make_pictures import beside, held_out_picture, new_views_picture, spread, tile
from show_geometry import draw_page

from neoverse_ns.clip.synthetic import SyntheticClip, render_synthetic
from neoverse_ns.geometry.cameras import PinholeCameras
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


def test_pictures_show_the_truth_above_the_drawing(truth: SyntheticClip) -> None:
    from neoverse_ns.plugin.run import OpenRun

    def draw(views: PinholeCameras, times: torch.Tensor) -> torch.Tensor:
        return torch.stack([torch.full((64, 96, 3), int(100 * time), dtype=torch.uint8) for time in times])

    run = OpenRun(truth.as_clip(), FrameSplit([0, 1, 3, 4], [2], [0, 4]), truth.cameras, draw)
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
