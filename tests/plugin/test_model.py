"""The model on a tiny scene: drawing, times, exports, rays, checkpoints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nerfstudio.cameras.cameras import Cameras
from nerfstudio.data.scene_box import OrientedBox

from neoverse_ns.errors import RunError, SettingsError
from neoverse_ns.gaussians.layers import BACKGROUND, FRAMES, LAYERS
from neoverse_ns.optimise.scene_layers import FIXED, PARAMETERS
from neoverse_ns.plugin.model import NeoVerseModel
from neoverse_ns.rasterize.layers import draw_layers
from neoverse_ns.reconstruct.scene import Scene
from tests.plugin.tiny_scene import HEIGHT, WIDTH, tiny_gaussians, tiny_model, tiny_scene


def with_background(scene: Scene, count: int = 60) -> Scene:
    """The scene with a constant layer behind its frames'."""
    assert scene.gaussians is not None
    behind = tiny_gaussians(count, seed=9)
    behind = behind.with_(means=1.5 * behind.means, dynamic=torch.zeros(count, dtype=torch.bool))
    return replace(scene, gaussians=scene.gaussians.replaced(BACKGROUND, behind))


def camera_at(model: NeoVerseModel, time: float | None, index: int = 3) -> Cameras:
    """A training frame's camera at another time, or at none."""
    camera = model.train_cameras()[index : index + 1]
    camera.metadata = {}
    camera.times = None if time is None else torch.tensor([[time]])
    return camera


def test_outputs_have_nerfstudios_shapes() -> None:
    model = tiny_model()
    outputs = model.get_outputs_for_camera(camera_at(model, 0.4))
    assert {name: tuple(value.shape) for name, value in outputs.items()} == {
        "rgb": (HEIGHT, WIDTH, 3),
        "depth": (HEIGHT, WIDTH, 1),
        "accumulation": (HEIGHT, WIDTH, 1),
        "background": (HEIGHT, WIDTH, 3),
    }
    assert all(torch.isfinite(value).all() for value in outputs.values())
    assert model.get_rgba_image(outputs).shape == (HEIGHT, WIDTH, 4)
    assert outputs["accumulation"].max() > 0.5


def test_drawing_equals_the_scenes_own_in_its_own_world() -> None:
    scene = with_background(tiny_scene())
    assert scene.gaussians is not None
    model = tiny_model(scene)
    frame = scene.split.train[3]
    cameras = scene.geometry.cameras[[frame]]
    expected = draw_layers(scene.gaussians, 0.4, cameras.viewmats, cameras.K, WIDTH, HEIGHT)
    outputs = model.get_outputs_for_camera(camera_at(model, 0.4))
    torch.testing.assert_close(outputs["rgb"], expected.rgb[0].clamp(0, 1), atol=2e-4, rtol=0)
    torch.testing.assert_close(outputs["accumulation"], expected.alpha[0], atol=2e-4, rtol=0)


@pytest.mark.parametrize(("name", "colour"), [("black", 0.0), ("white", 1.0)])
def test_background_fills_what_is_open(name: str, colour: float) -> None:
    model = tiny_model(background_color=name)
    outputs = model.get_outputs_for_camera(camera_at(model, 0.4))
    black = tiny_model().get_outputs_for_camera(camera_at(model, 0.4))
    expected = (black["rgb"] + (1 - black["accumulation"]) * colour).clamp(0, 1)
    torch.testing.assert_close(outputs["rgb"], expected, atol=1e-5, rtol=0)
    # The viewer sets its own colour in 0 to 1.
    model.set_background(torch.tensor([1.0, 0.0, 0.0]))
    red = model.get_outputs_for_camera(camera_at(model, 0.4))["rgb"]
    torch.testing.assert_close(red[..., 1:], black["rgb"][..., 1:], atol=1e-5, rtol=0)


@pytest.mark.parametrize(("asked", "drawn"), [(None, 0.25), (-0.096, 0.0), (1.096, 1.0)])
def test_missing_and_overshooting_times_are_drawn_with_one_warning(
    asked: float | None, drawn: float, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tiny_model(default_time=0.25)
    expected = model.get_outputs_for_camera(camera_at(model, drawn))["rgb"]
    assert capsys.readouterr().out == ""
    for _ in range(3):
        assert torch.equal(model.get_outputs_for_camera(camera_at(model, asked))["rgb"], expected)
    assert capsys.readouterr().out.count("neoverse:") == 1


def test_time_moves_the_scene() -> None:
    model = tiny_model()
    early, late = (model.get_outputs_for_camera(camera_at(model, t))["rgb"] for t in (0.1, 0.6))
    assert (early - late).abs().mean() > 0.01


def test_crop_box_draws_what_is_inside_and_is_forgotten() -> None:
    model = tiny_model()
    camera = camera_at(model, 0.4)
    whole = model.get_outputs_for_camera(camera)["accumulation"]
    nothing = OrientedBox(R=torch.eye(3), T=torch.full((3,), 50.0), S=torch.ones(3))
    assert model.get_outputs_for_camera(camera, obb_box=nothing)["accumulation"].max() == 0
    everything = OrientedBox(R=torch.eye(3), T=torch.zeros(3), S=torch.full((3,), 100.0))
    torch.testing.assert_close(model.get_outputs_for_camera(camera, obb_box=everything)["accumulation"], whole)
    torch.testing.assert_close(model.get_outputs_for_camera(camera)["accumulation"], whole)


def test_rays_read_what_a_direct_drawing_shows() -> None:
    model = tiny_model()
    cameras = model.train_cameras()
    rows, columns = torch.tensor([0, 5, 31, 16]), torch.tensor([0, 40, 47, 23])
    for index in (0, 4):
        coordinates = torch.stack([rows + 0.5, columns + 0.5], dim=-1)
        rays = cameras.generate_rays(camera_indices=torch.full((4, 1), index), coords=coordinates)
        looked_up = model(rays)
        drawn = model.get_outputs_for_camera(camera_at(model, float(cameras.times[index]), index))
        # `rgb` of rays is over black, as that of the drawing here.
        torch.testing.assert_close(looked_up["rgb"], drawn["rgb"][rows, columns], atol=1e-5, rtol=0)
        torch.testing.assert_close(looked_up["accumulation"], drawn["accumulation"][rows, columns])
        covered = drawn["accumulation"][rows, columns, 0] > 0
        points = rays.origins + rays.directions * looked_up["depth"]
        c2w = cameras.camera_to_worlds[index]
        z = -((points - c2w[:, 3]) @ c2w[:, 2])
        torch.testing.assert_close(z[covered], drawn["depth"][rows, columns, 0][covered], atol=1e-4, rtol=1e-4)
        normals = 2 * looked_up["normals"] - 1
        assert (normals.norm(dim=-1) < 1 + 1e-4).all()
        assert ((normals * rays.directions).sum(-1) < 1e-4).all()


def test_checkpoint_of_another_size_loads_into_the_same_parameters() -> None:
    trained = tiny_model(with_background(tiny_scene()))
    with torch.no_grad():
        trained.gaussians.frames.means.add_(0.1)
        trained.camera_optimizer.pose_adjustment.uniform_(-0.01, 0.01)
    # As a run folder gives it: without Gaussians, so one stands in for all until the checkpoint comes.
    model = tiny_model(replace(tiny_scene(), gaussians=None))
    assert model.num_points == 1
    before = dict(model.named_parameters())
    model.load_state_dict(trained.state_dict())
    after = dict(model.named_parameters())
    assert before.keys() == after.keys()
    assert all(before[name] is after[name] for name in before)
    assert list(model.gaussians) == [FRAMES, BACKGROUND]
    for name, value in trained.gaussians.tensors().items():
        assert torch.equal(model.gaussians.tensors()[name], value), name
    a, b = (m.get_outputs_for_camera(m.train_cameras()[2:3])["rgb"] for m in (trained, model))
    assert torch.equal(a, b)


def test_foreign_checkpoints_are_refused() -> None:
    with pytest.raises(RunError, match="neoverse method"):
        tiny_model().load_state_dict({"field.weight": torch.zeros(3)})
    with pytest.raises(RunError, match="camera_optimizer"):
        tiny_model().load_state_dict(tiny_model(tiny_scene(frames=5)).state_dict())


def test_checkpoints_from_before_there_were_layers_are_refused_in_one_line() -> None:
    gaussians = tiny_gaussians().tensors()
    old = {f"gauss_params.{name}": gaussians[name] for name in PARAMETERS} | {name: gaussians[name] for name in FIXED}
    with pytest.raises(RunError, match=r"older version.*train again") as said:
        tiny_model().load_state_dict(old | {"camera_optimizer.pose_adjustment": torch.zeros(7, 6)})
    assert "\n" not in str(said.value)


def test_state_holds_the_scene_and_nothing_else() -> None:
    state = tiny_model().state_dict()
    names = {name.split(".")[0] for name in state}
    assert names == {"device_indicator_param", "optimisation", "camera_optimizer"}
    inner = {name.removeprefix("optimisation.") for name in state if name.startswith("optimisation.")}
    fields = {f"layers.{layer}.{field}" for layer in LAYERS for field in (*PARAMETERS, *FIXED)}
    assert {name.split(".")[0] for name in inner - fields} == {"exposure", "early_stop"}
    assert fields <= inner


def test_training_loss_reaches_every_parameter_group() -> None:
    model = tiny_model()
    model.train()
    # Between two keyframes; at one of them nothing moves, and velocities have no gradient.
    camera = model.train_cameras()[2:3]
    outputs = model.get_outputs(camera)
    batch = {"image": torch.rand(HEIGHT, WIDTH, 3, generator=torch.Generator().manual_seed(0))}
    metrics = model.get_metrics_dict(outputs, batch)
    losses = model.get_loss_dict(outputs, batch, metrics)
    error = float(torch.mean((outputs["rgb"].detach() - batch["image"]) ** 2))
    assert float(metrics["psnr"]) == pytest.approx(-10 * np.log10(error), rel=1e-5)
    sum(losses.values()).backward()
    groups = model.get_param_groups()
    assert set(groups) == {*PARAMETERS, "camera_opt"}
    for name, parameters in groups.items():
        gradient = parameters[0].grad
        assert gradient is not None, name
        assert torch.isfinite(gradient.to_dense()).all(), name
        assert gradient.to_dense().abs().sum() > 0, name


def test_without_optimisation_nothing_is_optimised() -> None:
    model = tiny_model(optimise=False)
    assert model.get_param_groups() == {}
    model.train()
    outputs = model.get_outputs(model.train_cameras()[:1])
    losses = model.get_loss_dict(outputs, {"image": torch.zeros(HEIGHT, WIDTH, 3)})
    assert [float(value) for value in losses.values()] == [0.0]
    sum(losses.values()).backward()


def test_cameras_that_were_given_have_no_corrections() -> None:
    assert "camera_opt" in tiny_model().get_param_groups()
    scene = tiny_scene()
    scene.geometry.report.update(given_world={"scale": 1.0, "R": torch.eye(3).tolist(), "t": [0.0, 0.0, 0.0]})
    model = tiny_model(scene)
    assert "camera_opt" not in model.get_param_groups()
    cameras, times = scene.geometry.cameras, scene.clip.times
    free = tiny_model().camera_optimizer.refined(cameras, times)
    torch.testing.assert_close(model.camera_optimizer.refined(cameras, times).c2w, free.c2w)


@pytest.mark.parametrize(
    "changes", [{"default_time": float("nan")}, {"export_time": float("inf")}, {"blend_share": 1.5}]
)
def test_senseless_settings_are_named(changes: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=next(iter(changes))):
        tiny_model(**changes)


def test_model_can_be_saved_by_its_state_alone(tmp_path: Path) -> None:
    torch.save(tiny_model().state_dict(), tmp_path / "state.pt")
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    assert torch.equal(state["optimisation.layers.frames.means"], tiny_model().gaussians.frames.means)
