"""Several views of one scene: who is made from what, and the document of the cameras."""

from __future__ import annotations

import json

import pytest
import torch

from neoverse_ns.applications.multiview.multiview import FRONT, multiview, rig_json
from neoverse_ns.applications.multiview.rig import RigConfig
from neoverse_ns.gaussians.layers import INPAINTED
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.rasterize.layers import draw_layers
from tests.applications.extend.walled import Painter, walled_scene
from tests.generate.stage.wall import HEIGHT, WIDTH

TELEA = RefinerConfig(refiner="telea")


@pytest.mark.parametrize("count", [1, 5])
def test_outer_rings_are_made_from_what_inner_ones_showed(count: int) -> None:
    painter = Painter()
    grown = multiview(walled_scene(count), RigConfig(angle=12.0, rings=2), TELEA, refiner=painter)
    assert list(grown.views) == ["left_1", "right_1", "left_2", "right_2"]
    for name, call in zip(grown.views, painter.calls, strict=True):
        view = grown.views[name]
        assert view.frames.shape == (count, HEIGHT, WIDTH, 3)
        assert not call.first_frame
        given = (view.invented & (call.alpha >= 0.5)).float().mean().item()
        invented = view.invented.float().mean().item()
        # The outer ring's invented half is, where it overlaps with the inner's, given by that.
        assert (given > 0.3 * invented) == name.endswith("2")
    assert sum(view.added for view in grown.views.values()) == len(grown.scene.gaussians.layer(INPAINTED))


def test_all_views_are_of_the_merged_scene() -> None:
    grown = multiview(walled_scene(), RigConfig(angle=12.0), TELEA, refiner=Painter())
    for view in grown.views.values():
        path = view.trajectory
        for frame in (0, 4):
            here = slice(frame, frame + 1)
            drawing = draw_layers(
                grown.scene.gaussians,
                float(path.times[frame]),
                path.cameras.viewmats[here],
                path.K[here],
                WIDTH,
                HEIGHT,
            )
            error = (255 * drawing.rgb[0] - view.frames[frame].float()).abs().mean() / 255
            assert float(error) < 0.05
            assert float((drawing.alpha < 0.5).float().mean()) < 0.02


def test_the_document_has_every_camera_with_its_file() -> None:
    scene = walled_scene()
    grown = multiview(scene, RigConfig(("left",), angle=12.0), TELEA, refiner=Painter())
    paths = {name: view.trajectory for name, view in grown.views.items()}
    document = json.loads(json.dumps(rig_json(scene, paths, {"left_1": "left_1.mp4", FRONT: "front.mp4"})))
    assert list(document["views"]) == [FRONT, "left_1"]
    assert document["fps"] == pytest.approx(8.0)
    assert document["seconds"] == [0.0, 0.125, 0.25, 0.375, 0.5]
    row = document["views"]["left_1"]
    assert (row["file"], row["width"], row["height"]) == ("left_1.mp4", WIDTH, HEIGHT)
    torch.testing.assert_close(torch.tensor(row["c2w"]), paths["left_1"].c2w)
    torch.testing.assert_close(torch.tensor(document["views"][FRONT]["K"]), scene.cameras.K)
