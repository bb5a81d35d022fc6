"""Optimisation of a scene in one call: what it gains, what it leaves alone, and what it says."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from scipy.linalg import expm, logm

from neoverse_ns.errors import RunError, SettingsError
from neoverse_ns.gaussians.layers import BACKGROUND, FRAMES, LayeredGaussians
from neoverse_ns.geometry.alignment import Sim3
from neoverse_ns.geometry.projection import pixel_centres
from neoverse_ns.optimise.config import OptimiseConfig
from neoverse_ns.optimise.early_stop import EarlyStopConfig
from neoverse_ns.optimise.exposure import ExposureConfig
from neoverse_ns.optimise.loop import optimise
from neoverse_ns.rasterize.layers import draw_layers
from neoverse_ns.reconstruct.given_world import describe_world
from neoverse_ns.reconstruct.scene import Scene
from tests.gaussians.scenes import random_gaussians
from tests.reconstruct.small_scene import small_scene

WIDTH, HEIGHT = 48, 32


@pytest.fixture
def scene() -> Scene:
    """A smooth picture on a wall before a camera that stands still, lifted in grey, with another layer behind it."""
    waves = torch.sin(pixel_centres(HEIGHT, WIDTH) / 4)
    image = (127 + 100 * torch.cat([waves, waves[..., :1] * waves[..., 1:]], dim=-1)).to(torch.uint8)
    found = small_scene(width=WIDTH, height=HEIGHT, image=image, step=0.0)
    assert found.gaussians is not None
    grey = found.gaussians.map(lambda layer: layer.with_(sh=0.3 * layer.sh))
    return dataclasses.replace(found, gaussians=grey.replaced(BACKGROUND, random_gaussians(20, seed=3)))


def config(steps: int = 20, **changes: Any) -> OptimiseConfig:
    return OptimiseConfig(**({"steps": steps, "speed": 5.0} | changes))


def errors(scene: Scene, frames: list[int]) -> float:
    """Mean colour difference of some frames."""
    assert scene.gaussians is not None
    cameras, found = scene.geometry.cameras, []
    for frame in frames:
        view = cameras[[frame]]
        time = float(scene.clip.times[frame])
        drawing = draw_layers(scene.gaussians.only(FRAMES), time, view.viewmats, view.K, WIDTH, HEIGHT)
        found.append(float((drawing.rgb[0] - scene.clip.images[frame]).abs().mean()))
    return sum(found) / len(found)


def assert_equal(one: Scene, other: Scene) -> None:
    assert one.gaussians is not None
    assert other.gaussians is not None
    assert list(one.gaussians) == list(other.gaussians)
    for name, value in one.gaussians.tensors().items():
        assert torch.equal(value, other.gaussians.tensors()[name]), name
    assert torch.equal(one.geometry.cameras.c2w, other.geometry.cameras.c2w)


def test_pictures_come_nearer_to_the_clip_and_the_given_scene_stays(scene: Scene) -> None:
    assert scene.gaussians is not None
    before = {name: value.clone() for name, value in scene.gaussians.tensors().items()}
    c2w = scene.geometry.cameras.c2w.clone()
    done = optimise(scene, config(40, speed=20.0))
    assert done.gaussians is not None
    assert errors(done, scene.split.train) < 0.6 * errors(scene, scene.split.train)
    # Nobody looks at them, but they show the same wall.
    assert errors(done, scene.split.held_out) < 0.6 * errors(scene, scene.split.held_out)
    assert all(torch.equal(value, before[name]) for name, value in scene.gaussians.tensors().items())
    assert torch.equal(scene.geometry.cameras.c2w, c2w)
    assert not any(value.requires_grad for value in done.gaussians.tensors().values())
    # What lies behind is hidden on the path, so it stays as it was; a Gaussian keeps its place in the clip for life.
    for name, value in scene.gaussians[BACKGROUND].tensors().items():
        assert torch.equal(getattr(done.gaussians[BACKGROUND], name), value), name
    for name in ("keyframe", "interval", "dynamic"):
        assert torch.equal(getattr(done.gaussians.frames, name), getattr(scene.gaussians.frames, name))
    assert done.clip is scene.clip
    assert done.split is scene.split


def test_it_says_what_was_done(scene: Scene) -> None:
    done = optimise(scene, config(3), device="cpu")
    said = done.geometry.report["optimise"]
    assert (said["steps"], said["device"]) == (3, "cpu")
    assert said["seconds"] > 0
    assert done.geometry.report["kind"] == scene.geometry.report["kind"]
    assert "optimise" not in scene.geometry.report


def test_the_same_scene_and_settings_give_the_same_result(scene: Scene) -> None:
    settings = config(12, exposure=ExposureConfig(enabled=True))
    first, again = optimise(scene, settings), optimise(scene, settings)
    assert_equal(first, again)
    assert float((first.geometry.cameras.c2w - scene.geometry.cameras.c2w).abs().max()) > 0


def test_pixels_of_held_out_frames_are_not_read(scene: Scene) -> None:
    assert scene.split.held_out
    frames = scene.clip.frames.clone()
    frames[scene.split.held_out] = 255 - frames[scene.split.held_out]
    other = dataclasses.replace(scene, clip=dataclasses.replace(scene.clip, frames=frames))
    assert_equal(optimise(scene, config(16)), optimise(other, config(16)))
    # Those of a training frame are.
    frames = scene.clip.frames.clone()
    frames[scene.split.train] = 255 - frames[scene.split.train]
    other = dataclasses.replace(scene, clip=dataclasses.replace(scene.clip, frames=frames))
    with pytest.raises(AssertionError):
        assert_equal(optimise(scene, config(16)), optimise(other, config(16)))


def test_cameras_are_refined_and_held_out_ones_follow_their_neighbours() -> None:
    moving = small_scene(width=WIDTH, height=HEIGHT, step=0.02)
    done = optimise(moving, config(24))
    before, after = (found.geometry.cameras.viewmats.double().numpy() for found in (moving, done))
    corrections = after @ np.linalg.inv(before)
    assert all(np.abs(corrections[frame] - np.eye(4)).max() > 1e-5 for frame in moving.split.train)
    for frame in moving.split.held_out:
        assert {frame - 1, frame + 1} <= set(moving.split.train)
        twist = 0.5 * (logm(corrections[frame - 1]) + logm(corrections[frame + 1])).real
        np.testing.assert_allclose(corrections[frame], expm(twist), atol=1e-5)
    cameras = done.geometry.cameras
    assert torch.equal(cameras.K, moving.geometry.cameras.K)
    assert (cameras.width, cameras.height) == (WIDTH, HEIGHT)
    rotations = cameras.c2w[:, :3, :3].double()
    torch.testing.assert_close(rotations @ rotations.mT, torch.eye(3).double().expand(9, 3, 3), atol=1e-5, rtol=0)


def test_cameras_stay_where_they_are_not_to_be_refined() -> None:
    moving = small_scene(width=WIDTH, height=HEIGHT, step=0.02)
    done = optimise(moving, config(8, cameras=False))
    assert torch.equal(done.geometry.cameras.c2w, moving.geometry.cameras.c2w)
    assert done.gaussians is not None
    assert moving.gaussians is not None
    assert not torch.equal(done.gaussians.frames.sh, moving.gaussians.frames.sh)


def test_it_ends_where_the_loss_has_stopped_falling(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    frames = len(scene.split.train)
    done = optimise(scene, config(100, early_stop=EarlyStopConfig(improvement=0.9, steps=1)))
    # The second pass is not 90 % better than the first, which nothing was to compare with.
    assert done.geometry.report["optimise"]["steps"] == 2 * frames
    assert f"ending after {2 * frames} steps" in capsys.readouterr().out


def test_no_steps_change_nothing(scene: Scene) -> None:
    done = optimise(scene, config(0))
    assert done.geometry.report["optimise"]["steps"] == 0
    assert_equal(done, dataclasses.replace(done, gaussians=scene.gaussians))
    torch.testing.assert_close(done.geometry.cameras.c2w, scene.geometry.cameras.c2w, rtol=0, atol=1e-6)


def test_scenes_without_gaussians_and_senseless_settings_are_refused(scene: Scene) -> None:
    with pytest.raises(RunError, match="without Gaussians"):
        optimise(dataclasses.replace(scene, gaussians=None))
    for changes, name in (
        ({"steps": -1}, "steps"),
        ({"speed": 0.0}, "speed"),
        ({"speed": float("nan")}, "speed"),
        ({"blend_share": 1.5}, "blend_share"),
        ({"life_span_gamma": float("inf")}, "life_span_gamma"),
        ({"early_stop": EarlyStopConfig(improvement=1.0)}, "improvement"),
    ):
        with pytest.raises(SettingsError, match=name):
            optimise(scene, config(**changes))


def test_a_scene_whose_frames_have_no_gaussians_is_no_obstacle(scene: Scene) -> None:
    assert scene.gaussians is not None
    bare = LayeredGaussians({FRAMES: scene.gaussians.frames[:0], BACKGROUND: scene.gaussians[BACKGROUND]})
    done = optimise(dataclasses.replace(scene, gaussians=bare), config(2))
    assert_equal(done, dataclasses.replace(done, gaussians=bare))


def test_a_device_that_is_not_there_is_told(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SettingsError, match="no CUDA device"):
        optimise(scene, config(), "cuda")


def test_cameras_that_were_given_stay_where_they_are(scene: Scene) -> None:
    sim3 = Sim3(torch.ones((), dtype=torch.float64), torch.eye(3, dtype=torch.float64), torch.zeros(3).double())
    geometry = dataclasses.replace(scene.geometry, report=scene.geometry.report | describe_world(sim3))
    done = optimise(dataclasses.replace(scene, geometry=geometry), config(20, speed=20.0, cameras=True))
    assert torch.equal(done.geometry.cameras.c2w, scene.geometry.cameras.c2w)
    moved = optimise(scene, config(20, speed=20.0, cameras=True))
    assert not torch.equal(moved.geometry.cameras.c2w, scene.geometry.cameras.c2w)
