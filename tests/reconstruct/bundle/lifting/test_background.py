"""The fused background: one layer of every static surface, visible only through holes."""

from __future__ import annotations

import torch

from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.gaussians.layers import BACKGROUND
from neoverse_ns.geometry.projection import project
from neoverse_ns.rasterize.layers import draw_layers
from neoverse_ns.reconstruct.bundle.lifting.background import fuse_background
from neoverse_ns.reconstruct.scene import Scene
from tests.reconstruct.small_scene import all_pixels, small_scene


def fused(scene: Scene) -> DynamicGaussians:
    assert scene.gaussians is not None
    return fuse_background(scene.clip, scene.geometry, all_pixels(scene))


def test_a_wall_seen_by_all_keyframes_is_kept_once() -> None:
    scene = small_scene(width=64, height=48)
    background = fused(scene)
    assert not background.dynamic.any()
    assert background.velocities.eq(0).all()
    one_keyframe = 64 * 48
    # Each further keyframe adds only the strip that comes into view, and what movers hide in the others.
    assert one_keyframe * 0.9 < len(background) < one_keyframe * 1.6
    assert scene.gaussians is not None
    assert len(scene.gaussians.frames) == one_keyframe * len(scene.split.keyframes)


def test_moving_pixels_and_their_surroundings_stay_out() -> None:
    # With cameras that stand still every keyframe sees the same wall, so the middle one gives all there is.
    scene = small_scene(width=64, height=48, step=0.0)
    background = fused(scene)
    uv, _ = project(background.means, scene.geometry.cameras.viewmats[0], scene.geometry.cameras.K[0])
    pixels = set(map(tuple, uv.floor().int().tolist()))
    expected = {(x, y) for x in range(64) for y in range(48) if not (1 <= x <= 10 and 1 <= y <= 10)}
    assert pixels == expected


def test_fills_what_a_new_camera_would_find_empty() -> None:
    scene = small_scene(width=64, height=48)
    assert scene.gaussians is not None
    whole = scene.gaussians.replaced(BACKGROUND, fused(scene))
    first = scene.geometry.cameras[[0]]
    # The last time, seen from the first camera: its left side was out of view by then.
    seen = {
        background: draw_layers(drawn, 1.0, first.viewmats, first.K, 64, 48)
        for background, drawn in ((False, whole.without(BACKGROUND)), (True, whole))
    }
    holes = seen[False].alpha[0, ..., 0] < 0.5
    assert holes.float().mean() > 0.1
    assert (seen[True].alpha[0, ..., 0][holes] > 0.5).float().mean() > 0.9
    depth = seen[True].depth[0, ..., 0][holes & (seen[True].alpha[0, ..., 0] > 0.9)]
    torch.testing.assert_close(depth, torch.ones_like(depth), atol=0.02, rtol=0)
