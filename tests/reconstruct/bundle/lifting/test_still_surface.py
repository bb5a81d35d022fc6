"""One surface for what stands still before a camera that stands still."""

from __future__ import annotations

import dataclasses

import torch

from neoverse_ns.gaussians.dynamic import SH_C0
from neoverse_ns.gaussians.layers import BACKGROUND, FRAMES, LayeredGaussians
from neoverse_ns.gaussians.lifetimes import lifetime_runs
from neoverse_ns.gaussians.transition import alive_at
from neoverse_ns.rasterize.layers import draw_layers
from neoverse_ns.reconstruct.bundle.lifting.keyframe_lift import LiftConfig, lift
from neoverse_ns.reconstruct.bundle.lifting.scene_layers import scene_layers
from neoverse_ns.reconstruct.bundle.lifting.still_surface import still_pixels, with_one_surface
from neoverse_ns.reconstruct.scene import Scene
from tests.reconstruct.small_scene import small_scene

PIXELS = 16 * 32
CONFIG = LiftConfig(sharpening=0)


def still_scene() -> Scene:
    """A smooth picture with a little noise of every frame's own; a block of it flickers in the second keyframe."""
    scene = small_scene(step=0.0)
    image = torch.linspace(60, 180, 32).expand(3, 16, 32).permute(1, 2, 0)
    noise = torch.randn((len(scene.clip), 16, 32, 3), generator=torch.Generator().manual_seed(1))
    frames = (image + 2 * noise).round().to(torch.uint8)
    frames[scene.split.keyframes[1], 10:14, 20:26] += 40
    return dataclasses.replace(scene, clip=dataclasses.replace(scene.clip, frames=frames))


def test_what_moves_or_flickers_is_not_still() -> None:
    scene = still_scene()
    still = still_pixels(scene.clip, scene.geometry)
    assert not still[4:8, 4:8].any()
    assert not still[10:14, 20:26].any()
    # Windows of 3x3 pixels reach the block from outside too.
    expected = torch.ones(16, 32, dtype=torch.bool)
    expected[4:8, 4:8] = expected[9:15, 19:27] = False
    assert still[expected].all()
    ignored = torch.zeros(9, 16, 32, dtype=torch.bool)
    ignored[scene.split.keyframes[2], 0] = True
    clip = dataclasses.replace(scene.clip, ignored=ignored)
    assert not still_pixels(clip, scene.geometry)[0].any()


def test_a_camera_that_moves_or_zooms_shows_nothing_still() -> None:
    scene = still_scene()
    moving = small_scene(step=1e-3).geometry
    assert not still_pixels(scene.clip, moving).any()
    zooming = dataclasses.replace(scene.geometry.cameras, K=scene.geometry.cameras.K.clone())
    zooming.K[scene.split.keyframes[-1], :2] *= 1.001
    assert not still_pixels(scene.clip, dataclasses.replace(scene.geometry, cameras=zooming)).any()


def test_the_surface_is_the_middle_keyframes_with_the_mean_colour() -> None:
    scene = still_scene()
    geometry, keyframes = scene.geometry, scene.geometry.keyframes
    lifted = lift(scene.clip, geometry, {}, CONFIG)
    still = still_pixels(scene.clip, geometry)
    merged = with_one_surface(lifted, still)
    middle = len(keyframes) // 2
    assert merged.pixels[middle].all()
    assert torch.equal(merged.pixels[0], ~still)
    assert len(merged.gaussians) == int(merged.pixels.sum())
    one = merged.gaussians[merged.rows(middle, still)]
    assert not one.dynamic.any()
    mean = scene.clip.images[keyframes].mean(0)[still]
    torch.testing.assert_close(0.5 + SH_C0 * one.sh[:, 0], mean)
    assert int(merged.gaussians.dynamic.sum()) == len(keyframes) * int((~still).sum())
    assert torch.equal(one.means, lifted.gaussians.means[middle * PIXELS + still.flatten().nonzero()[:, 0]])


def test_layers_have_each_still_pixel_once_and_lifetimes_in_few_runs() -> None:
    scene = still_scene()
    count = len(scene.geometry.keyframes)
    layers = scene_layers(scene.clip, scene.geometry, {}, LiftConfig())
    still = int(still_pixels(scene.clip, scene.geometry).sum())
    assert len(layers.frames) == still + count * (PIXELS - still)
    assert len(lifetime_runs(layers.frames.interval, layers.frames.dynamic).dynamic) == count + 1
    for time in scene.clip.times[scene.geometry.keyframes]:
        # At every keyframe every pixel has a Gaussian.
        assert int(alive_at(layers.frames, float(time)).sum()) == PIXELS
    assert torch.equal(layers.frames.keyframe, layers.frames.keyframe.sort().values)


def test_frames_between_keyframes_are_drawn_better_than_from_copies() -> None:
    scene = still_scene()
    layers = scene_layers(scene.clip, scene.geometry, {}, LiftConfig(far_field=False))
    copies = LayeredGaussians({FRAMES: lift(scene.clip, scene.geometry, {}, LiftConfig()).gaussians})
    cameras, frame = scene.geometry.cameras, scene.split.held_out[0]
    still = still_pixels(scene.clip, scene.geometry)
    truth = torch.linspace(60, 180, 32).expand(3, 16, 32).permute(1, 2, 0)[still] / 255
    errors = []
    for gaussians in (layers, copies):
        rgb = draw_layers(
            gaussians, float(scene.clip.times[frame]), cameras.viewmats[[frame]], cameras.K[[frame]], 32, 16
        ).rgb[0][still]
        errors.append(float((rgb - truth).square().mean()))
    assert errors[0] < 0.6 * errors[1]


def test_a_bound_on_gaussians_mixes_no_constant_ones_with_others() -> None:
    scene = still_scene()
    config = LiftConfig(far_field=False, background=False)
    whole = scene_layers(scene.clip, scene.geometry, {}, config)
    fewer = scene_layers(
        scene.clip, scene.geometry, {}, dataclasses.replace(config, max_gaussians=whole.count * 2 // 3)
    )
    assert fewer.count <= whole.count * 2 // 3
    assert BACKGROUND not in fewer
    constant, moving = fewer.frames[~fewer.frames.dynamic], fewer.frames[fewer.frames.dynamic]
    assert constant.velocities.eq(0).all()
    # Every pixel that is not still goes on being covered at each keyframe by what lives there.
    assert set(moving.keyframe.tolist()) == set(range(len(scene.geometry.keyframes)))


def test_a_single_keyframe_has_nothing_to_merge() -> None:
    scene = still_scene()
    geometry = dataclasses.replace(
        scene.geometry,
        keyframes=scene.geometry.keyframes[:1],
        depth=scene.geometry.depth[:1],
        confidence=scene.geometry.confidence[:1],
        dynamic=scene.geometry.dynamic[:1],
    )
    assert not still_pixels(scene.clip, geometry).any()
