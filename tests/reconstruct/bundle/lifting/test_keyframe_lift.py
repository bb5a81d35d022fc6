"""Lifting keyframe pixels to Gaussians."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.gaussians.dynamic import SH_C0
from neoverse_ns.gaussians.transition import at_time
from neoverse_ns.geometry.projection import pixel_centres, project
from neoverse_ns.rasterize.layers import draw_layers
from neoverse_ns.reconstruct.bundle.lifting.keyframe_lift import LiftConfig, lift
from neoverse_ns.reconstruct.bundle.lifting.scene_flow import KeyframeFlow
from tests.reconstruct.small_scene import small_scene


def test_a_static_surface_stands_still() -> None:
    scene = small_scene()
    assert scene.gaussians is not None
    gaussians = scene.gaussians.frames
    # The flow of a static wall is exactly what the cameras' motion causes, wherever it stays inside the image.
    assert gaussians.velocities.abs().max() < 1e-5


def test_gaussians_project_onto_their_pixels() -> None:
    scene = small_scene()
    assert scene.gaussians is not None
    cameras, keyframes = scene.geometry.cameras, scene.geometry.keyframes
    for number, frame in enumerate(keyframes):
        mine = scene.gaussians.frames[scene.gaussians.frames.keyframe == number]
        uv, z = project(mine.means, cameras.viewmats[frame], cameras.K[frame])
        torch.testing.assert_close(uv, pixel_centres(16, 32).reshape(-1, 2), atol=1e-3, rtol=0)
        torch.testing.assert_close(z, torch.ones_like(z))
        widths = torch.where(scene.geometry.dynamic[number], 0.4, 0.3).reshape(-1, 1) / cameras.K[frame, 0, 0]
        torch.testing.assert_close(mine.scales, widths.expand(-1, 3))
        before = scene.clip.times[keyframes[number - 1]] if number else -float(mine.interval[0, 2])
        assert float(mine.interval[0, 0]) == pytest.approx(float(before))


def test_motion_follows_the_flow_to_the_neighbouring_image() -> None:
    scene = small_scene()
    keyframes, cameras = scene.geometry.keyframes, scene.geometry.cameras
    flow = torch.full((16, 32, 2), 1.5)
    gaussians = lift(
        scene.clip, scene.geometry, {(keyframes[0], keyframes[1]): KeyframeFlow(flow, torch.ones(16, 32))}, LiftConfig()
    ).gaussians
    mine = gaussians[gaussians.keyframe == 0]
    uv, z = project(mine.means + mine.velocities[:, 0], cameras.viewmats[keyframes[1]], cameras.K[keyframes[1]])
    target = (pixel_centres(16, 32) + flow).reshape(-1, 2)
    inside = ((target >= 0) & (target < torch.tensor([32.0, 16.0]))).all(-1)
    torch.testing.assert_close(uv[inside], target[inside], atol=1e-3, rtol=0)
    torch.testing.assert_close(z, torch.ones_like(z), atol=1e-4, rtol=0)
    assert mine.velocities[~inside, 0].eq(0).all()


def test_untrusted_flow_means_rest() -> None:
    scene = small_scene()
    keyframes = scene.geometry.keyframes
    flow = KeyframeFlow(torch.full((16, 32, 2), 3.0), torch.full((16, 32), 0.1))
    gaussians = lift(scene.clip, scene.geometry, {(keyframes[0], keyframes[1]): flow}, LiftConfig()).gaussians
    assert gaussians.velocities.eq(0).all()


def test_moving_pixels_with_lost_flow_give_way_to_the_nearer_keyframe() -> None:
    scene = small_scene()
    keyframes = scene.geometry.keyframes
    trust = torch.ones(16, 32)
    trust[6:10, 4:8] = 0.0
    flow = KeyframeFlow(torch.zeros(16, 32, 2), trust)
    gaussians = lift(scene.clip, scene.geometry, {(keyframes[0], keyframes[1]): flow}, LiftConfig()).gaussians
    spans = gaussians[gaussians.keyframe == 0].life_spans.reshape(16, 32)
    # Rows 4 to 7 of the region move, rows 8 and 9 are background whose flow is just as lost.
    expected = torch.full((16, 32), 0.9)
    expected[6:8, 4:8] = 0.75
    torch.testing.assert_close(spans, expected)


def test_drawing_a_keyframe_gives_its_image_back() -> None:
    waves = torch.sin(pixel_centres(48, 64) / 4)
    image = (127 + 100 * torch.cat([waves, waves[..., :1] * waves[..., 1:]], dim=-1)).to(torch.uint8)
    scene = small_scene(width=64, height=48, image=image)
    assert scene.gaussians is not None
    cameras = scene.geometry.cameras
    frame = scene.geometry.keyframes[1]
    drawing = draw_layers(
        scene.gaussians,
        float(scene.clip.times[frame]),
        cameras.viewmats[frame : frame + 1],
        cameras.K[frame : frame + 1],
        64,
        48,
    )
    assert drawing.alpha.mean() > 0.9
    torch.testing.assert_close(drawing.depth[drawing.alpha > 0.9].mean(), torch.tensor(1.0), atol=1e-3, rtol=0)
    error = (drawing.rgb[0] - scene.clip.images[frame])[2:-2, 2:-2].abs().mean()
    assert error < 0.006


def test_moving_pixels_keep_their_colours_and_others_are_sharpened() -> None:
    scene = small_scene()
    gaussians = lift(scene.clip, scene.geometry, {}, LiftConfig()).gaussians
    colours = (0.5 + SH_C0 * gaussians.sh[:, 0]).view(-1, 16, 32, 3)
    images, moving = scene.clip.images[scene.geometry.keyframes], scene.geometry.dynamic
    torch.testing.assert_close(colours[moving], images[moving])
    assert (colours - images)[~moving].abs().mean() > 0.02
    assert colours.min() > -1e-6
    assert colours.max() < 1 + 1e-6


def test_a_single_keyframe_is_constant() -> None:
    scene = small_scene()
    k = scene.split.keyframes[0]
    geometry = dataclasses.replace(
        scene.geometry,
        keyframes=[k],
        depth=scene.geometry.depth[:1],
        confidence=scene.geometry.confidence[:1],
        dynamic=scene.geometry.dynamic[:1],
    )
    gaussians = lift(scene.clip, geometry, {}, LiftConfig()).gaussians
    assert not gaussians.dynamic.any()
    assert len(at_time(gaussians, 1.0).index) == 16 * 32


@pytest.mark.parametrize(
    "change",
    [
        {"footprint": 0.0},
        {"moving_footprint": math.inf},
        {"opacity": 1.0},
        {"sharpening": -1},
        {"life_span": math.nan},
        {"lost_life_span": 1.0},
    ],
)
def test_settings_are_checked(change: dict[str, float]) -> None:
    with pytest.raises(SettingsError, match=next(iter(change))):
        dataclasses.replace(LiftConfig(), **change).validate()
