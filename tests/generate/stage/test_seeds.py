"""Holes get Gaussians of the refined colour at the depth of what lies behind, once for all views."""

from __future__ import annotations

import torch

from neoverse_ns.gaussians.layers import INPAINTED, LayeredGaussians
from neoverse_ns.generate.base import Conditions
from neoverse_ns.generate.conditions.render import ConditionSettings, draw_conditions
from neoverse_ns.generate.stage.seeds import HoleFiller, depth_behind
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.rasterize.layers import draw_layers
from tests.generate.stage.wall import HEIGHT, WIDTH, wall, wall_cameras

RED = torch.tensor([200, 40, 40], dtype=torch.uint8)


def conditions_of(scene: LayeredGaussians, cameras: PinholeCameras) -> Conditions:
    return draw_conditions(scene, cameras, torch.zeros(len(cameras)), ConditionSettings(mask_threshold=0.95))


def test_a_hole_takes_the_farther_side_and_nothing_else_changes() -> None:
    depth = torch.full((12, 20), 2.0)
    depth[:, 12:] = 5.0
    known = torch.ones(12, 20, dtype=torch.bool)
    known[3:9, 8:14] = False
    filled = depth_behind(depth, known)
    assert torch.equal(filled[known], depth[known])
    torch.testing.assert_close(filled[~known], torch.full((36,), 5.0))


def test_margins_rows_and_nothing_known() -> None:
    depth = torch.full((6, 8), 3.0)
    known = torch.ones(6, 8, dtype=torch.bool)
    known[:, :3] = False
    known[4:] = False
    torch.testing.assert_close(depth_behind(depth, known), depth)
    assert torch.equal(depth_behind(depth, torch.zeros_like(known)), torch.zeros(6, 8))


def test_what_a_new_camera_misses_is_filled_with_the_refined_colour() -> None:
    cameras = wall_cameras(shifts=[0.0, 0.3])
    scene = wall()
    conditions = conditions_of(scene, cameras)
    hole = conditions.alpha < 0.5
    # The camera that stands where the wall was seen from has no hole; the one to the right misses a margin.
    assert not bool(hole[0].any())
    assert 0.05 < float(hole[1].float().mean()) < 0.5
    filler = HoleFiller(hole_opacity=0.5, most=10_000)
    filler.add(RED.expand(2, HEIGHT, WIDTH, 3), conditions)
    new = filler.gaussians()
    assert new is not None
    assert len(new) == int(hole.sum())
    assert not bool(new.dynamic.any())
    # The wall stands at depth 2, and so does what continues it.
    torch.testing.assert_close(new.means[:, 2], torch.full((len(new),), 2.0), atol=0.05, rtol=0.0)
    both = scene.replaced(INPAINTED, new)
    drawing = draw_layers(both, 0.0, cameras.viewmats, cameras.K, WIDTH, HEIGHT)
    inner = hole[1] & (drawing.alpha[1, ..., 0] > 0.95)
    assert inner.sum() > 0.8 * hole[1].sum()
    assert (drawing.rgb[1][inner] - RED / 255).abs().mean() < 0.1
    # What was seen is still seen: nothing made up lies before it.
    before = draw_layers(scene, 0.0, cameras.viewmats, cameras.K, WIDTH, HEIGHT)
    torch.testing.assert_close(drawing.rgb[0], before.rgb[0], atol=0.02, rtol=0.0)


def test_a_hole_that_two_views_share_is_filled_once_and_the_bound_is_kept() -> None:
    cameras = wall_cameras(shifts=[0.3, 0.3])
    conditions = conditions_of(wall(), cameras)
    filler = HoleFiller(hole_opacity=0.5, most=10_000)
    filler.add(RED.expand(2, HEIGHT, WIDTH, 3), conditions)
    once = filler.gaussians()
    assert once is not None
    assert len(once) < 1.1 * int((conditions.alpha[0] < 0.5).sum())
    bounded = HoleFiller(hole_opacity=0.5, most=17)
    bounded.add(RED.expand(2, HEIGHT, WIDTH, 3), conditions)
    few = bounded.gaussians()
    assert few is not None
    assert len(few) == 17


def test_no_hole_no_gaussians() -> None:
    filler = HoleFiller(hole_opacity=0.5, most=100)
    filler.add(RED.expand(1, HEIGHT, WIDTH, 3), conditions_of(wall(), wall_cameras(shifts=[0.0])))
    assert filler.gaussians() is None
