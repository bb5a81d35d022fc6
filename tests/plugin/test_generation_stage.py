"""Refined views in training: whose steps they take, what they touch, when rounds are made, and how a run goes on."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from nerfstudio.engine.callbacks import TrainingCallbackAttributes, TrainingCallbackLocation
from nerfstudio.engine.optimizers import Optimizers

from neoverse_ns.errors import SettingsError
from neoverse_ns.gaussians.layers import FRAMES, INPAINTED
from neoverse_ns.gaussians.transform import transform
from neoverse_ns.generate.stage.config import StageConfig
from neoverse_ns.generate.stage.views import RefinedViews
from neoverse_ns.optimise.early_stop import EarlyStopConfig
from neoverse_ns.optimise.exposure import ExposureConfig
from neoverse_ns.optimise.losses import LossConfig
from neoverse_ns.plugin.datamanager import NeoVerseDataManager
from neoverse_ns.plugin.generation_stage import FOLDER, RefinementStage
from neoverse_ns.plugin.model import NeoVerseModel
from neoverse_ns.plugin.optimizers import fit_schedules, rate
from neoverse_ns.plugin.refined_feed import WEIGHT_KEY, RefinedFeed
from neoverse_ns.plugin.run_source import run_source
from neoverse_ns.plugin.world import VIEW_KEY, opengl_to_viewmats, world_to_nerfstudio
from neoverse_ns.rasterize.layers import draw_layers
from neoverse_ns.reconstruct.scene import Scene
from tests.plugin.tiny_scene import GAUSSIANS, HEIGHT, WIDTH, tiny_datamanager, tiny_gaussians, tiny_model, tiny_scene

BEFORE, AFTER = TrainingCallbackLocation.BEFORE_TRAIN_ITERATION, TrainingCallbackLocation.AFTER_TRAIN_ITERATION


def settings(**changes: Any) -> StageConfig:
    return StageConfig(**({"refiner": "telea", "moves": ("move_left",), "further_steps": 4, "share": 0.5} | changes))


def optimizers_of(model: NeoVerseModel) -> Optimizers:
    groups = model.get_param_groups()
    config = {name: rate(0.01) for name in groups}
    fit_schedules(config, 10)
    return Optimizers(config, groups)


def views_of(scene: Scene, count: int = 2) -> RefinedViews:
    cameras = scene.geometry.cameras
    return RefinedViews(
        frames=torch.full((count, HEIGHT, WIDTH, 3), 200, dtype=torch.uint8),
        repainted=torch.ones(count, HEIGHT, WIDTH, dtype=torch.bool),
        c2w=cameras.c2w[:count],
        K=cameras.K[:count],
        times=scene.clip.times[:count],
    )


class Training:
    """The parts of a run that the stage meets, without nerfstudio's loop."""

    def __init__(self, folder: Path, config: StageConfig, steps: int = 6, start: int = 0, **run: Any) -> None:
        self.scene = tiny_scene()
        early_stop = run.pop("early_stop", EarlyStopConfig())
        self.model = tiny_model(self.scene, early_stop=early_stop, optimise=run.pop("optimise", True))
        self.manager: NeoVerseDataManager = tiny_datamanager(folder, self.scene)
        self.optimizers = optimizers_of(self.model) if self.model.config.optimise else Optimizers({}, {})
        self.saved: list[int] = []
        config_of_run = SimpleNamespace(max_num_iterations=steps, load_dir=None, load_checkpoint=None)
        self.trainer: Any = SimpleNamespace(
            base_dir=folder,
            config=config_of_run,
            _start_step=start,
            stop_training=False,
            save_checkpoint=self.saved.append,
        )
        config_of_run.load_dir = run.pop("load_dir", None)
        state = run.pop("state", None)
        if state is not None:
            self.model.load_state_dict(state)
        self.stage = RefinementStage(config, self.model, self.manager)
        attributes = TrainingCallbackAttributes(self.optimizers, None, None, self.trainer)
        self.callbacks = self.model.get_training_callbacks(attributes) + self.stage.callbacks(attributes)
        self.start = start

    def step(self, step: int) -> str:
        """Take one step; returns whose it was."""
        self.model.train()
        for callback in self.callbacks:
            callback.run_callback_at_location(step, BEFORE)
        for optimizer in self.optimizers.optimizers.values():
            optimizer.zero_grad()
        camera, batch = self.manager.next_train(step)
        losses = self.model.get_loss_dict(self.model.get_outputs(camera), batch)
        torch.stack(list(losses.values())).sum().backward()
        for optimizer in self.optimizers.optimizers.values():
            optimizer.step()
        for callback in self.callbacks:
            callback.run_callback_at_location(step, AFTER)
        return "view" if WEIGHT_KEY in batch else "frame"

    def run(self) -> list[str]:
        """Until something ends it."""
        taken = []
        while not self.trainer.stop_training and len(taken) < 60:
            taken.append(self.step(self.start + len(taken)))
        return taken


def test_a_round_follows_photometric_refinement_and_its_views_share_the_further_steps(tmp_path: Path) -> None:
    training = Training(tmp_path, settings())
    taken = training.run()
    assert taken == ["frame"] * 7 + ["view", "frame", "view"]
    assert training.saved == [5]
    round_folder = tmp_path / FOLDER / "step-000000006"
    assert len(list(round_folder.glob("move_left/*.png"))) == len(training.scene.split.train)
    model = training.model
    assert list(model.gaussians) == [FRAMES, INPAINTED]
    assert len(model.gaussians[INPAINTED]) > 0
    assert len(model.gaussians.frames) == GAUSSIANS
    assert model.num_points == GAUSSIANS + len(model.gaussians[INPAINTED])
    assert all(torch.isfinite(value).all() for value in model.gaussians.tensors().values())


def test_new_gaussians_are_optimised_and_a_checkpoint_with_them_loads(tmp_path: Path) -> None:
    training = Training(tmp_path, settings(share=0.9, further_steps=1))
    for step in range(6):
        training.step(step)
    training.stage.make(6, tmp_path / FOLDER, training.optimizers)
    colours = {name: training.model.gaussians[name].sh for name in (FRAMES, INPAINTED)}
    before = colours[INPAINTED].detach().clone()
    moments = training.optimizers.optimizers["sh"].state
    # What the optimiser remembers of the frames' own stays; of the new ones it knows nothing yet.
    assert moments[colours[FRAMES]]["exp_avg"].shape == colours[FRAMES].shape
    assert float(moments[colours[FRAMES]]["exp_avg"].abs().max()) > 0
    assert colours[INPAINTED] not in moments
    assert [training.step(step) for step in (7, 8)] == ["view", "view"]
    after = training.model.gaussians[INPAINTED].sh.detach()
    assert float((after - before).abs().max()) > 0
    assert moments[colours[INPAINTED]]["exp_avg"].shape == before.shape
    assert float(moments[colours[INPAINTED]]["exp_avg"].abs().max()) > 0
    other = tiny_model(training.scene)
    other.load_state_dict(training.model.state_dict())
    assert list(other.gaussians) == [FRAMES, INPAINTED]
    for name, value in training.model.gaussians.tensors().items():
        assert torch.equal(other.gaussians.tensors()[name], value), name
    again = optimizers_of(other)
    again.load_optimizers({k: v.state_dict() for k, v in training.optimizers.optimizers.items()})
    loaded = again.optimizers["sh"].state[other.gaussians[INPAINTED].sh]["exp_avg"]
    assert torch.equal(loaded, moments[colours[INPAINTED]]["exp_avg"])


def test_a_later_round_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    training = Training(tmp_path, settings(at_steps=(2, 5), further_steps=3), steps=6)
    for step in range(5):
        training.step(step)
    first = training.manager._refined
    made_first = len(training.model.gaussians.layer(INPAINTED))
    assert made_first > 0
    source = run_source(training.model, training.scene)
    # What the first round inpainted is not drawn for the second, nor is anything held out shown to it.
    assert list(source.gaussians) == [FRAMES]
    assert source.gaussians.count == GAUSSIANS
    assert len(source) == len(training.scene.split.train)
    training.step(5)
    second = training.manager._refined
    assert second is not None
    assert second is not first
    assert second.interleaving.start == 5
    assert len(second) == len(training.scene.split.train)
    assert 0 < len(training.model.gaussians.layer(INPAINTED)) < 2 * made_first
    assert training.run()  # from 0 again: nothing is left over that could not go on
    assert sorted(path.name for path in (tmp_path / FOLDER).iterdir()) == ["step-000000002", "step-000000005"]


def test_a_stopped_run_goes_on_with_its_views_and_makes_none_again(tmp_path: Path) -> None:
    first = Training(tmp_path / "a", settings())
    for step in range(8):
        first.step(step)
    assert first.manager._refined is not None
    resumed = Training(
        tmp_path / "b",
        settings(),
        steps=2,
        start=8,
        load_dir=tmp_path / "a" / "nerfstudio_models",
        state=first.model.state_dict(),
    )
    feed = resumed.manager._refined
    assert feed is not None
    assert torch.equal(feed._views.frames, first.manager._refined._views.frames)
    assert feed.interleaving == first.manager._refined.interleaving
    assert resumed.stage.plan is not None
    assert resumed.stage.plan.rounds == ()
    assert resumed.run() == ["frame", "view"]
    assert (tmp_path / "b" / FOLDER / "step-000000006" / "round.json").is_file()


def test_a_stopped_run_whose_views_are_gone_makes_them_again_at_once(tmp_path: Path) -> None:
    first = Training(tmp_path / "a", settings())
    for step in range(8):
        first.step(step)
    state = first.model.state_dict()
    resumed = Training(tmp_path / "b", settings(), steps=2, start=8, load_dir=tmp_path / "gone" / "x", state=state)
    assert resumed.stage.plan is not None
    assert resumed.stage.plan.rounds == (8,)
    assert resumed.run() == ["frame", "view", "frame", "view"]


def test_a_loss_that_stops_falling_brings_the_round_on_and_not_the_end(tmp_path: Path) -> None:
    early = EarlyStopConfig(improvement=0.9, steps=1)
    training = Training(tmp_path, settings(further_steps=3), steps=40, early_stop=early)
    passes = len(training.scene.split.train)
    taken = training.run()
    # The second pass is not 90 % better than the first, which nothing was to compare with.
    assert len(taken) == 2 * passes + 3
    assert taken[: 2 * passes] == ["frame"] * (2 * passes)
    assert "view" in taken[2 * passes :]
    assert (tmp_path / FOLDER / f"step-{2 * passes:09d}").is_dir()


def test_views_are_drawn_with_what_free_cameras_see_and_without_what_belongs_to_frames() -> None:
    scene = tiny_scene()
    model = tiny_model(scene, exposure=ExposureConfig(enabled=True), losses=LossConfig(depth=1.0))
    inpainted = transform(tiny_gaussians(50, seed=3), world_to_nerfstudio())
    model.optimisation.layers.replace(INPAINTED, inpainted, {})
    with torch.no_grad():
        model.camera_optimizer.pose_adjustment += 0.05
        exposure = model.optimisation.exposure
        exposure.adjustment += torch.randn(exposure.adjustment.shape)
    feed = RefinedFeed(views_of(scene), settings(), start=0)
    camera, batch = feed.batch(1, "cpu")
    assert camera.metadata is not None
    assert VIEW_KEY in camera.metadata
    model.train()
    outputs = model.get_outputs(camera)
    where = (opengl_to_viewmats(camera.camera_to_worlds), scene.geometry.cameras.K[1:2], WIDTH, HEIGHT)
    expected = draw_layers(model.gaussians, float(scene.clip.times[1]), *where)
    without = draw_layers(model.gaussians.only(FRAMES), float(scene.clip.times[1]), *where)
    torch.testing.assert_close(outputs["rgb"], expected.rgb[0])
    assert not torch.allclose(expected.rgb, without.rgb)
    losses = model.get_loss_dict(outputs, batch)
    assert losses.keys() == {"refined_l1", "refined_dssim"}
    torch.stack(list(losses.values())).sum().backward()
    assert model.camera_optimizer.pose_adjustment.grad is None
    assert exposure.adjustment.grad is None
    assert float(model.optimisation.early_stop.sums[1]) == 0
    assert model.get_metrics_dict(outputs, batch).keys() == {"psnr_refined", "num_gaussians"}


def test_views_never_come_from_held_out_frames(tmp_path: Path) -> None:
    training = Training(tmp_path, settings())
    training.stage.make(0, tmp_path / FOLDER, training.optimizers)
    feed = training.manager._refined
    assert feed is not None
    held_out = {float(training.scene.clip.times[frame]) for frame in training.scene.split.held_out}
    times = set(feed._views.times.tolist())
    assert held_out
    assert all(min(abs(t - h) for h in held_out) > 1e-3 for t in times)


def test_a_run_without_photometric_optimisation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="photometric"):
        Training(tmp_path, settings(), optimise=False)


def test_without_a_refiner_nothing_happens(tmp_path: Path) -> None:
    training = Training(tmp_path, StageConfig())
    assert training.stage.plan is None
    assert [training.step(step) for step in range(8)] == ["frame"] * 8
    assert not (tmp_path / FOLDER).exists()
