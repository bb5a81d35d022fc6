"""The far field: soft colour where no keyframe shows anything, and nothing else changed."""

from __future__ import annotations

import dataclasses

import torch

from neoverse_ns.gaussians.layers import FAR_FIELD
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.rasterize.layers import draw_layers
from neoverse_ns.reconstruct.bundle.lifting.far_field import BEHIND, far_field
from neoverse_ns.reconstruct.scene import Scene
from tests.reconstruct.small_scene import small_scene

WIDTH, HEIGHT = 64, 48


def two_halves() -> Scene:
    """A wall whose upper half is blue and whose lower half is red, before a camera that stands still."""
    image = torch.zeros(HEIGHT, WIDTH, 3, dtype=torch.uint8)
    image[: HEIGHT // 2, :, 2] = 200
    image[HEIGHT // 2 :, :, 0] = 100
    return small_scene(width=WIDTH, height=HEIGHT, image=image, step=0.0)


def moved(camera: PinholeCameras, sideways: float) -> PinholeCameras:
    c2w = camera.c2w.clone()
    c2w[:, 0, 3] += sideways
    return PinholeCameras(c2w, camera.K, camera.width, camera.height)


def test_continues_colours_beyond_the_image() -> None:
    scene = two_halves()
    assert scene.gaussians is not None
    whole = scene.gaussians.replaced(FAR_FIELD, far_field(scene.clip, scene.geometry))
    # A strip of this camera's image lies beside everything that was seen.
    camera = moved(scene.geometry.cameras[[0]], 0.2)
    bare = draw_layers(scene.gaussians, 0.0, camera.viewmats, camera.K, WIDTH, HEIGHT)
    filled = draw_layers(whole, 0.0, camera.viewmats, camera.K, WIDTH, HEIGHT)
    empty = bare.alpha[0, ..., 0] < 0.01
    assert empty.float().mean() > 0.1
    assert (filled.alpha > 0.98).all()
    upper, lower = empty.clone(), empty.clone()
    # The colours meet in the middle and blur there, which the tolerance allows for: black and the other half are twice
    # as far off.
    upper[HEIGHT // 2 - 16 :] = False
    lower[: HEIGHT // 2 + 16] = False
    for rows, colour in ((upper, [0, 0, 200]), (lower, [100, 0, 0])):
        seen = filled.rgb[0][rows].mean(0)
        torch.testing.assert_close(seen, torch.tensor(colour) / 255, atol=0.2, rtol=0)


def test_lies_behind_everything() -> None:
    scene = two_halves()
    depth = scene.geometry.depth.clone()
    depth[1, 3, 5] = 7.0
    made = far_field(scene.clip, dataclasses.replace(scene.geometry, depth=depth))
    torch.testing.assert_close(made.means[:, 2], torch.full((len(made),), BEHIND * 7.0))
    assert not made.dynamic.any()


def test_leaves_depth_and_training_views_alone() -> None:
    scene = two_halves()
    assert scene.gaussians is not None
    # Some light shines through these surfaces everywhere.
    thin = scene.gaussians.map(lambda layer: layer.with_(opacity_logits=layer.opacity_logits - 1))
    whole = thin.replaced(FAR_FIELD, far_field(scene.clip, scene.geometry))
    camera = scene.geometry.cameras[[0]]
    bare = draw_layers(thin, 0.0, camera.viewmats, camera.K, WIDTH, HEIGHT)
    filled = draw_layers(whole, 0.0, camera.viewmats, camera.K, WIDTH, HEIGHT)
    solid = bare.alpha > 0.5
    assert solid.float().mean() > 0.9
    assert (filled.alpha > bare.alpha + 1e-3)[solid].float().mean() > 0.5
    torch.testing.assert_close(filled.depth[solid], bare.depth[solid])
    without = draw_layers(whole.without(FAR_FIELD), 0.0, camera.viewmats, camera.K, WIDTH, HEIGHT)
    torch.testing.assert_close(without.rgb, bare.rgb)


def test_what_moves_gives_no_colour() -> None:
    scene = two_halves()
    frames = scene.clip.frames.clone()
    frames[:, 4:8, 4:8] = 255  # The pixels that small_scene marks as moving.
    clip = dataclasses.replace(scene.clip, frames=frames)
    torch.testing.assert_close(far_field(clip, scene.geometry).sh, far_field(scene.clip, scene.geometry).sh)
