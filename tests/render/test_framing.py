"""What a plan must show: near things without strays, along the plan's own axes."""

from __future__ import annotations

import math

import torch

from neoverse_ns.geometry.se3 import so3_exp
from neoverse_ns.render.framing import NEAR, frame_of, near_scene
from tests.export.layered_scene import SQUARE, WALL, layered_scene

SCENE = layered_scene()


def test_the_near_scene_is_what_cameras_see_at_its_place() -> None:
    near = near_scene(SCENE.gaussians, SCENE.cameras)
    assert len(near) > 10_000
    depth = near[:, 2]
    # The wall fills most of the pictures: its depth is the median, and nothing lies behind it but the far field.
    assert abs(float(depth.median()) - WALL) < 0.1
    assert float(depth.max()) < NEAR * WALL
    assert 0.05 < float(((depth - SQUARE).abs() < 0.1).double().mean()) < 0.5


def test_strays_do_not_widen_a_frame_and_needed_places_do() -> None:
    turn = so3_exp(torch.tensor([0.0, math.radians(40), 0.0], dtype=torch.float64))
    axes = turn.T
    torch.manual_seed(0)
    local = torch.rand(5000, 3, dtype=torch.float64) * torch.tensor([2.0, 1.0, 3.0], dtype=torch.float64)
    local[:20] += 500
    needed = torch.tensor([[-1.0, 0.5, 1.0]], dtype=torch.float64)
    corners = frame_of(local @ axes, needed @ axes, axes) @ axes.T
    expected = torch.tensor([[-1.0, 0.0, 0.0], [2.0, 1.0, 3.0]], dtype=torch.float64)
    torch.testing.assert_close(corners, expected, atol=0.1, rtol=0)
    alone = frame_of(torch.zeros(0, 3, dtype=torch.float64), needed @ axes, axes)
    torch.testing.assert_close(alone, (needed @ axes).expand(2, 3))
