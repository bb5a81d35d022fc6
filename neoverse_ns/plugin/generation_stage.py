"""Refinement as a stage of training: rounds of refined views, made at their steps and kept in the run folder."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from nerfstudio.engine.callbacks import TrainingCallback, TrainingCallbackAttributes, TrainingCallbackLocation
from nerfstudio.engine.optimizers import Optimizers

from neoverse_ns.console import say, warn
from neoverse_ns.errors import UNREADABLE, RunError, SettingsError
from neoverse_ns.gaussians.layers import INPAINTED
from neoverse_ns.gaussians.transform import transform
from neoverse_ns.generate.registry import get_refiner
from neoverse_ns.generate.stage.config import StageConfig
from neoverse_ns.generate.stage.round import load_round, make_round
from neoverse_ns.generate.stage.schedule import Plan, make_plan
from neoverse_ns.plugin.datamanager import NeoVerseDataManager
from neoverse_ns.plugin.model import NeoVerseModel
from neoverse_ns.plugin.refined_feed import RefinedFeed
from neoverse_ns.plugin.run_source import run_source
from neoverse_ns.plugin.user_errors import exit_on_user_error
from neoverse_ns.plugin.world import world_to_nerfstudio
from neoverse_ns.reconstruct.scene import Scene

if TYPE_CHECKING:
    from nerfstudio.engine.trainer import Trainer

FOLDER = "refined"
"""Folder of a run in which refined views lie, one folder per round."""
_DONE = "round.json"


class RefinementStage:
    """Makes rounds while a run trains, and tells the data manager, the model and the early stop about them.

    No module: what it holds belongs into no checkpoint, and the viewer shall not walk it.

    Args:
        config: The stage's settings.
        model: Whose Gaussians are drawn and added to.
        manager: Which feeds the views.
    """

    def __init__(self, config: StageConfig, model: NeoVerseModel, manager: NeoVerseDataManager) -> None:
        self.config = config
        self.plan: Plan | None = None
        self._model, self._manager = model, manager

    def callbacks(self, attributes: TrainingCallbackAttributes) -> list[TrainingCallback]:
        """Plan the rounds of the run that is about to start, take up those it has had, and hook into its steps.

        Raises:
            SettingsError: The stage cannot work in this run.
            RunError: The run folder cannot be written.
        """
        trainer, optimizers = attributes.trainer, attributes.optimizers
        if not self.config.enabled or trainer is None or optimizers is None:
            return []
        if not self._model.config.optimise:
            raise SettingsError("--pipeline.refiner.name needs photometric optimisation: use neoverse, or no refiner")
        # Weights that are missing shall be missed now, not after photometric optimisation.
        get_refiner(self.config).check()
        folder = trainer.base_dir / FOLDER
        start = trainer._start_step
        made = self._take_up(_earlier_run(trainer), folder, start)
        self.plan = make_plan(
            start, trainer.config.max_num_iterations, self.config.at_steps, self.config.further_steps, made
        )
        if not made and INPAINTED in self._model.gaussians:
            warn("the refined views of this run are missing: making them again")
            self.plan = self.plan.over_at(start)
        self._model.ask_before_stopping(self._may_stop)

        def before(step: int) -> None:
            if self.plan is not None and step in self.plan.rounds:
                if step > start:
                    # Refining may take long, and be stopped: what was trained until now shall not be lost.
                    trainer.save_checkpoint(step - 1)
                with exit_on_user_error():
                    self.make(step, folder, optimizers)

        def after(step: int) -> None:
            if self.plan is not None and step + 1 >= self.plan.end:
                trainer.stop_training = True

        return [
            TrainingCallback([TrainingCallbackLocation.BEFORE_TRAIN_ITERATION], before),
            TrainingCallback([TrainingCallbackLocation.AFTER_TRAIN_ITERATION], after),
        ]

    def make(self, step: int, folder: Path, optimizers: Optimizers) -> None:
        """Make the round due before `step`; its views and new Gaussians take the place of earlier ones.

        Raises:
            RefinementError: The refiner cannot run.
            RunError: The folder cannot be written.
        """
        scene = self._scene
        round_ = make_round(
            run_source(self._model, scene),
            self.config,
            self._model.config.prompt or self.config.prompt,
            float(scene.geometry.depth.median()),
            folder / _name(step),
            # What a refiner learned lies with its views, so that it, too, goes on where it was stopped.
            lambda: get_refiner(dataclasses.replace(self.config, folder=folder / _name(step))),
        )
        new = None if round_.inpainted is None else transform(round_.inpainted, world_to_nerfstudio())
        self._model.optimisation.layers.replace(INPAINTED, new, optimizers.optimizers)
        optimizers.parameters.update(self._model.get_param_groups())
        self._manager.add_refined(RefinedFeed(round_.views, self.config, step))
        with _named_errors(folder):
            (folder / _name(step) / _DONE).write_text(json.dumps({"step": step}), "utf8")
        say(
            f"{len(round_.views)} refined views train the scene from step {step} on; "
            f"{0 if new is None else len(new):,} new Gaussians fill holes"
        )

    @property
    def _scene(self) -> Scene:
        return self._manager.dataparser.scene  # pyright: ignore

    def _may_stop(self, step: int) -> bool:
        """Whether the run may end after `step` because its loss has stopped falling: never before its rounds are over.

        A round that waits for the end of photometric optimisation is made now.
        """
        if self.plan is not None and any(due > step for due in self.plan.rounds):
            if self.plan.movable:
                say(f"the loss has stopped falling after {step + 1} steps: on to refined views")
            self.plan = self.plan.over_at(step + 1)
        return False

    def _take_up(self, earlier: Path | None, folder: Path, start: int) -> list[int]:
        """Feed the last round that the checkpoint has seen; returns the steps of all of them."""
        if earlier is None:
            return []
        if earlier != folder and earlier.is_dir():
            # Also what the checkpoint has not seen: its views are used again if they come out the same.
            with _named_errors(folder):
                shutil.copytree(earlier, folder, dirs_exist_ok=True)
        steps = sorted(_steps(folder))
        seen = [step for step in steps if step < start]
        views = load_round(folder / _name(seen[-1]), self.config) if seen else None
        if views is None:
            return []
        self._manager.add_refined(RefinedFeed(views, self.config, seen[-1]))
        say(f"{len(views)} refined views taken from {folder / _name(seen[-1])}")
        return seen


def _earlier_run(trainer: Trainer) -> Path | None:
    """Where the run that is resumed keeps its refined views; None for a run that starts."""
    config = trainer.config
    if config.load_dir is not None:
        return config.load_dir.parent / FOLDER
    return None if config.load_checkpoint is None else config.load_checkpoint.absolute().parent.parent / FOLDER


@contextmanager
def _named_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, shutil.Error) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise RunError(f"cannot write to {folder} ({reason}): free space, or choose another --output-dir") from error


def _name(step: int) -> str:
    return f"step-{step:09d}"


def _steps(folder: Path) -> list[int]:
    """Steps of the finished rounds in `folder`."""
    steps = []
    for file in folder.glob(f"step-*/{_DONE}"):
        try:
            steps.append(int(json.loads(file.read_text("utf8"))["step"]))
        except UNREADABLE:
            continue
    return steps
