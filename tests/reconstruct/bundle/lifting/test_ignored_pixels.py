"""What is no part of the world becomes no Gaussian of any layer, and its colours go nowhere."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from neoverse_ns.gaussians.dynamic import SH_C0
from neoverse_ns.gaussians.layers import BACKGROUND, FAR_FIELD
from neoverse_ns.geometry.projection import project
from neoverse_ns.reconstruct.bundle.lifting.keyframe_lift import LiftConfig
from neoverse_ns.reconstruct.bundle.lifting.scene_layers import scene_layers
from neoverse_ns.reconstruct.scene import Scene
from tests.reconstruct.small_scene import small_scene

HEIGHT, WIDTH, ROWS = 32, 48, 8


def bonneted() -> Scene:
    """A grey wall before cameras that hardly move, below it a red bonnet that nothing was measured of."""
    image = torch.full((HEIGHT, WIDTH, 3), 120, dtype=torch.uint8)
    image[-ROWS:] = torch.tensor([255, 0, 0], dtype=torch.uint8)
    scene = small_scene(width=WIDTH, height=HEIGHT, image=image, step=1e-4)
    ignored = torch.zeros(len(scene.clip), HEIGHT, WIDTH, dtype=torch.bool)
    ignored[:, -ROWS:] = True
    depth = scene.geometry.depth.clone()
    depth[:, -ROWS:] = 50.0
    return replace(scene, clip=replace(scene.clip, ignored=ignored), geometry=replace(scene.geometry, depth=depth))


def test_ignored_pixels_become_no_gaussians() -> None:
    scene = bonneted()
    layers = scene_layers(scene.clip, scene.geometry, {}, LiftConfig())
    keyframes = len(scene.geometry.keyframes)
    assert len(layers.frames) == keyframes * (HEIGHT - ROWS) * WIDTH
    camera = scene.geometry.cameras[[0]]
    for name in ("frames", BACKGROUND):
        uv, _ = project(layers.layer(name).means, camera.viewmats[0], camera.K[0])
        assert float(uv[:, 1].max()) < HEIGHT - ROWS, name
        assert len(layers.layer(name)) > 0
    far = layers.layer(FAR_FIELD)
    colours = far.sh[:, 0] * SH_C0 + 0.5
    torch.testing.assert_close(colours, torch.full_like(colours, 120 / 255), atol=0.01, rtol=0)
    # Behind the wall at depth 1, not behind what is not there at 50.
    assert float(far.means[:, 2].max()) < 2
    # The red bonnet, which is not drawn, has no part in the colours of what borders on it.
    colours = layers.frames.sh[:, 0] * SH_C0 + 0.5
    torch.testing.assert_close(colours, torch.full_like(colours, 120 / 255), atol=0.01, rtol=0)


def test_a_still_camera_leaves_ignored_pixels_out_of_its_one_surface_too() -> None:
    scene = bonneted()
    still = replace(scene.geometry.cameras, c2w=scene.geometry.cameras.c2w[:1].expand(len(scene.clip), 4, 4).clone())
    layers = scene_layers(scene.clip, replace(scene.geometry, cameras=still), {}, LiftConfig())
    moving, keyframes = int(scene.geometry.dynamic[0].sum()), len(scene.geometry.keyframes)
    assert len(layers.frames) == (HEIGHT - ROWS) * WIDTH + (keyframes - 1) * moving
    uv, _ = project(layers.frames.means, still.viewmats[0], still.K[0])
    assert float(uv[:, 1].max()) < HEIGHT - ROWS


@pytest.mark.parametrize("most", [3000, 1000])
def test_bounds_hold_with_ignored_pixels(most: int) -> None:
    scene = bonneted()
    layers = scene_layers(scene.clip, scene.geometry, {}, LiftConfig(max_gaussians=most))
    # Four become one at a time.
    assert most - 3 < layers.count <= most
    uv, _ = project(layers.frames.means, scene.geometry.cameras.viewmats[0], scene.geometry.cameras.K[0])
    assert float(uv[:, 1].max()) < HEIGHT - ROWS
    colours = layers.frames.sh[:, 0] * SH_C0 + 0.5
    torch.testing.assert_close(colours, torch.full_like(colours, 120 / 255), atol=0.01, rtol=0)
