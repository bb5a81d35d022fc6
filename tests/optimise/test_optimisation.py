"""What a step draws: the keyframes' own Gaussians, over what lies behind them."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.gaussians.layers import BACKGROUND, FAR_FIELD, FRAMES
from neoverse_ns.optimise.config import OptimiseConfig
from neoverse_ns.optimise.optimisation import SHOWS_THROUGH, SceneOptimisation
from neoverse_ns.rasterize.drawing import Drawing
from neoverse_ns.rasterize.layers import draw_layers
from neoverse_ns.reconstruct.bundle.lifting.keyframe_lift import LiftConfig
from neoverse_ns.reconstruct.bundle.lifting.scene_layers import scene_layers
from neoverse_ns.reconstruct.scene import Scene
from tests.reconstruct.small_scene import small_scene


def layered_scene(widen: float = 0.0) -> Scene:
    """All layers, the frames' own Gaussians wider by a factor exp(widen)."""
    scene = small_scene()
    layers = scene_layers(scene.clip, scene.geometry, {}, LiftConfig())
    assert {BACKGROUND, FAR_FIELD} <= set(layers)
    frames = layers.frames.with_(log_scales=layers.frames.log_scales + widen)
    return dataclasses.replace(scene, gaussians=layers.replaced(FRAMES, frames))


def step_drawing(optimisation: SceneOptimisation, scene: Scene, frame: int) -> Drawing:
    cameras = scene.geometry.cameras
    return optimisation.draw_step(
        frame, 0, cameras.viewmats[[frame]], cameras.K[[frame]], cameras.width, cameras.height
    )


def layers_drawing(scene: Scene, frame: int, *names: str) -> Drawing:
    cameras, gaussians = scene.geometry.cameras, scene.gaussians
    assert gaussians is not None
    return draw_layers(
        gaussians.only(*names) if names else gaussians,
        float(scene.clip.times[frame]),
        cameras.viewmats[[frame]],
        cameras.K[[frame]],
        cameras.width,
        cameras.height,
    )


def test_a_step_learns_from_what_is_shown() -> None:
    scene = layered_scene()
    optimisation = SceneOptimisation(scene, OptimiseConfig(blend_share=0.0))
    frame = scene.split.keyframes[1]
    drawing, own = step_drawing(optimisation, scene, frame), layers_drawing(scene, frame, FRAMES)
    assert float((1 - own.alpha).mean()) > SHOWS_THROUGH
    torch.testing.assert_close(drawing.rgb.detach(), layers_drawing(scene, frame).rgb)
    torch.testing.assert_close(drawing.alpha.detach(), own.alpha)
    torch.testing.assert_close(drawing.depth.detach(), own.depth)
    drawing.rgb.sum().backward()
    layers = optimisation.layers.scene
    assert layers.frames.sh.grad is not None
    assert all(layers[name].sh.grad is None for name in (BACKGROUND, FAR_FIELD))


def test_openings_are_no_place_for_errors_to_hide() -> None:
    scene = layered_scene()
    optimisation = SceneOptimisation(scene, OptimiseConfig(blend_share=0.0))
    frame = scene.split.keyframes[1]
    step_drawing(optimisation, scene, frame).rgb.sum().backward()
    slope = optimisation.layers.scene.frames.opacity_logits.grad
    assert slope is not None
    rows, values = slope.coalesce().indices()[0], slope.coalesce().values()
    strongest = int(values.abs().argmax())
    # Against a finite difference of the picture with all layers.
    change, sums = 0.05, []
    assert scene.gaussians is not None
    for sign in (1, -1):
        logits = scene.gaussians.frames.opacity_logits.clone()
        logits[rows[strongest]] += sign * change
        changed = scene.gaussians.replaced(FRAMES, scene.gaussians.frames.with_(opacity_logits=logits))
        sums.append(float(layers_drawing(dataclasses.replace(scene, gaussians=changed), frame).rgb.double().sum()))
    measured = (sums[0] - sums[1]) / (2 * change)
    torch.testing.assert_close(float(values[strongest]), measured, rtol=0.05, atol=1e-3)


def test_what_is_hidden_is_not_drawn() -> None:
    scene = layered_scene(widen=1.0)
    optimisation = SceneOptimisation(scene, OptimiseConfig(blend_share=0.0))
    frame = scene.split.train[1]
    own = layers_drawing(scene, frame, FRAMES)
    assert float((1 - own.alpha).mean()) < SHOWS_THROUGH
    assert torch.equal(step_drawing(optimisation, scene, frame).rgb.detach(), own.rgb)


def test_motion_that_is_taken_away_is_neither_drawn_nor_learned_again() -> None:
    scene = layered_scene()
    assert scene.gaussians is not None
    frames = scene.gaussians.frames
    moving = frames.with_(velocities=torch.ones_like(frames.velocities), dynamic=torch.ones_like(frames.dynamic))
    scene = dataclasses.replace(scene, gaussians=scene.gaussians.replaced(FRAMES, moving))
    forward = SceneOptimisation(scene, OptimiseConfig(motion="forward"))
    assert torch.equal(forward.scene.frames.velocities[:, 0], moving.velocities[:, 0])
    assert not forward.scene.frames.velocities[:, 1].any()
    still = SceneOptimisation(scene, OptimiseConfig(motion="none"))
    assert not still.scene.frames.velocities.any()
    assert set(forward.groups()) - set(still.groups()) == {"velocities", "angular_velocities"}
    with pytest.raises(SettingsError, match="nearest_keyframe_only"):
        OptimiseConfig(motion="forward", nearest_keyframe_only=True).validate()
