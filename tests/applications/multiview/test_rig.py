"""Where the cameras of a rig stand, and when they look."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from neoverse_ns.applications.multiview.rig import RigConfig, rig
from neoverse_ns.errors import SettingsError
from tests.applications.extend.walled import walled_scene

VIEWS = ("left", "right", "up", "down")


def test_rings_turn_each_by_the_angle_from_the_camera_of_the_same_moment() -> None:
    scene = walled_scene()
    paths = rig(scene, RigConfig(VIEWS, angle=20.0, rings=2))
    assert list(paths) == [f"{view}_{ring}" for ring in (1, 2) for view in VIEWS]
    # OpenCV axes: x to the right, y down.
    turned = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
    for name, path in paths.items():
        view, ring = name.split("_")
        angle = math.radians(20.0 * int(ring))
        x, y = turned[view]
        forward = torch.tensor([x * math.sin(angle), y * math.sin(angle), math.cos(angle)])
        torch.testing.assert_close(path.c2w[:, :3, 2], forward.expand(5, 3), atol=1e-6, rtol=0.0)
        torch.testing.assert_close(path.c2w[:, :3, 3], scene.cameras.c2w[:, :3, 3])
        # The very moments of the clip, not near them.
        assert torch.equal(path.times, scene.times)
        assert path.fps == pytest.approx(8.0)


def test_an_orbit_keeps_what_lies_at_the_median_depth_in_the_middle() -> None:
    scene = walled_scene()
    for path in rig(scene, RigConfig(move="orbit", angle=15.0, rings=2)).values():
        ahead = scene.cameras.c2w[:, :3, 3] + torch.tensor([0.0, 0.0, 1.0])
        local = torch.einsum("nji,nj->ni", path.c2w[:, :3, :3], ahead - path.c2w[:, :3, 3])
        torch.testing.assert_close(local, torch.tensor([0.0, 0.0, 1.0]).expand(5, 3), atol=1e-6, rtol=0.0)


def test_a_shift_moves_along_the_camera_s_own_axes() -> None:
    scene = walled_scene()
    turned = scene.cameras.c2w.clone()
    turned[:, :3, :3] = torch.tensor([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
    object.__setattr__(scene.cameras, "c2w", turned)
    paths = rig(scene, RigConfig(("right", "up"), "shift", distance=0.2, rings=3))
    moved = paths["right_3"].c2w[:, :3, 3] - turned[:, :3, 3]
    torch.testing.assert_close(moved, 0.6 * turned[:, :3, 0])
    moved = paths["up_1"].c2w[:, :3, 3] - turned[:, :3, 3]
    torch.testing.assert_close(moved, -0.2 * turned[:, :3, 1])


def test_a_single_image_has_no_rate() -> None:
    (path,) = rig(walled_scene(1), RigConfig(("left",))).values()
    assert len(path) == 1
    assert path.fps is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"views": ("left", "behind")}, "'behind'"),
        ({"views": ()}, "none"),
        ({"views": ("left", "left")}, "once"),
        ({"views": ("up",), "move": "orbit"}, "left, right"),
        ({"angle": 0.0}, "angle"),
        ({"angle": float("inf")}, "angle"),
        ({"move": "shift", "distance": -0.1}, "distance"),
        ({"rings": 0}, "rings"),
        ({"rings": 8}, "200 degrees"),
    ],
)
def test_rigs_that_make_no_sense_are_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        rig(walled_scene(), RigConfig(**changes))
