"""Trainer: self-contained run folders, sensible devices, errors in one line."""

from __future__ import annotations

import json
import pickle
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from nerfstudio.configs.base_config import MachineConfig
from nerfstudio.engine.optimizers import Optimizers
from nerfstudio.engine.trainer import TRAIN_INTERATION_OUTPUT, Trainer, TrainerConfig
from nerfstudio.utils import writer

from neoverse_ns.clip.place import checked_place
from neoverse_ns.console import say
from neoverse_ns.errors import NeoVerseError, RunError
from neoverse_ns.plugin.benchmark.located import located
from neoverse_ns.plugin.benchmark.source import BenchmarkSource
from neoverse_ns.plugin.generation_stage import FOLDER
from neoverse_ns.plugin.optimizers import fit_schedules
from neoverse_ns.plugin.pipeline import TRAINING_RECORD, NeoVersePipeline
from neoverse_ns.plugin.scene_settings import share_settings
from neoverse_ns.plugin.script_calls import config_being_read
from neoverse_ns.plugin.settings_check import check_settings
from neoverse_ns.plugin.user_errors import exit_on_user_error
from neoverse_ns.plugin.viewer.host import kept_to_this_machine


def default_machine() -> MachineConfig:
    """CUDA where there is a device, else the CPU, so that the same command works on both."""
    return MachineConfig(device_type="cuda" if torch.cuda.is_available() else "cpu")


@dataclass
class NeoVerseTrainerConfig(TrainerConfig):
    """A trainer config that names runs after their clip and keeps them independent of the working directory."""

    _target: type = field(default_factory=lambda: NeoVerseTrainer)
    machine: MachineConfig = field(default_factory=default_machine)
    """Device and seed."""

    def __setattr__(self, name: str, value: Any) -> None:
        """Set a field; what `ns-viewer` sets for its viewer is kept to this machine, see `plugin/viewer/host.py`."""
        super().__setattr__(name, kept_to_this_machine(value) if name == "viewer" else value)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over what a config.yml holds; a run that was copied or moved lies where that file lies now."""
        self.__dict__.update(state)
        config = config_being_read()
        folder = None if config is None else self._folder_beside(config)
        if folder is not None:
            self._run_folder = folder
            parser = self.pipeline.datamanager.dataparser  # pyright: ignore
            if parser.scene_dir is not None:
                parser.scene_dir = folder / parser.scene_dir.name

    def _folder_beside(self, config: Path) -> Path | None:
        """The folder of a config.yml, or of what it links to, if checkpoints lie in it; None for a config alone."""
        for file in (config.expanduser().absolute(), config.expanduser().resolve()):
            if (file.parent / self.relative_model_dir).is_dir():
                return file.parent
        return None

    def get_base_dir(self) -> Path:
        """The run folder: where its config.yml was read from, else where its names put it."""
        folder: Path | None = self.__dict__.get("_run_folder")
        return super().get_base_dir() if folder is None else folder

    def set_experiment_name(self) -> None:
        """Name the experiment after the clip itself: nerfstudio would use its folder, the same for all clips in it."""
        datamanager = self.pipeline.datamanager
        data, source = datamanager.data or self.data, datamanager.source  # pyright: ignore
        if self.experiment_name is None and isinstance(source, BenchmarkSource):
            self.experiment_name = source.run_name(data)
        elif self.experiment_name is None and data is not None:
            self.experiment_name = Path(data).expanduser().absolute().stem
        super().set_experiment_name()

    def save_config(self) -> None:
        """Write the config with absolute paths, so that the run can be loaded from any folder."""
        with exit_on_user_error():
            check_settings(self)
        self.output_dir = self.output_dir.expanduser().absolute()
        datamanager = self.pipeline.datamanager
        if isinstance(source := datamanager.source, BenchmarkSource):  # pyright: ignore
            with exit_on_user_error():
                datamanager.source = found = located(source, datamanager.data or self.data)  # pyright: ignore
            self.data = datamanager.data = found.data
        if self.data is None and datamanager.data is not None:
            self.data = Path(datamanager.data)
        if self.data is not None:
            with exit_on_user_error():
                self.data = checked_place(self.data).absolute()
            datamanager.data = self.data
            datamanager.dataparser.data = self.data  # pyright: ignore
        if self.load_dir is not None:
            self.load_dir = self.load_dir.expanduser().absolute()
        with exit_on_user_error():
            share_settings(datamanager.dataparser.scene, self.pipeline.model)  # pyright: ignore
        datamanager.dataparser.scene_dir = self.get_base_dir() / "scene"  # pyright: ignore
        datamanager.dataparser.device = self.machine.device_type  # pyright: ignore
        super().save_config()


@contextmanager
def _set_aside(folder: Path | None) -> Iterator[None]:
    """Take `folder` out of the way while the block runs; it comes back if the block fails, and is deleted otherwise."""
    if folder is None or not folder.exists():
        yield
        return
    aside = folder.with_name(f".{folder.name}-before")
    shutil.rmtree(aside, ignore_errors=True)
    folder.rename(aside)
    try:
        yield
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        aside.rename(folder)
        raise
    shutil.rmtree(aside, ignore_errors=True)


class NeoVerseTrainer(Trainer):
    """Nerfstudio's trainer with a run folder that is rebuilt for every run and a record of what training took."""

    config: NeoVerseTrainerConfig

    def setup(self, test_mode: Literal["test", "val", "inference"] = "val") -> None:
        """Build everything, reconstructing the clip where neither cache nor run folder has it."""
        scene_dir = self.config.pipeline.datamanager.dataparser.scene_dir  # pyright: ignore
        fresh = self.config.load_dir is None and self.config.load_checkpoint is None
        # A run started again under the same name must not train on the older run's frames and settings.
        with (
            exit_on_user_error(),
            _set_aside(scene_dir),
            _set_aside(self.base_dir / FOLDER if fresh else None),
            self._viewer_in_run_folder(),
        ):
            super().setup(test_mode)

    @contextmanager
    def _viewer_in_run_folder(self) -> Iterator[None]:
        """Let a viewer that is built while the block runs keep camera paths in the run folder, as ns-viewer does: it
        would keep them beside the clip, where browsers have no business.
        """
        data, self.config.data = self.config.data, None
        try:
            yield
        finally:
            self.config.data = data

    def setup_optimizers(self) -> Optimizers:
        """Build the optimisers; schedules last as long as the run."""
        fit_schedules(self.config.optimizers, self.config.max_num_iterations)
        return super().setup_optimizers()

    def _load_checkpoint(self) -> None:
        """Load the checkpoint to continue from.

        Raises:
            RunError: It is damaged or another method's.
        """
        try:
            super()._load_checkpoint()
        except NeoVerseError:
            raise
        except (pickle.UnpicklingError, OSError, EOFError, RuntimeError, LookupError, TypeError, ValueError) as error:
            reason = str(error).strip().split("\n")[0]
            raise RunError(
                f"{self.config.load_checkpoint or self.config.load_dir} cannot be continued from ({reason}): "
                "give a step-*.ckpt that ns-train neoverse wrote"
            ) from error

    def train(self) -> None:
        """Train, then tell where everything is."""
        self._started = time.perf_counter()
        self._last_step = self._start_step
        assert isinstance(self.pipeline, NeoVersePipeline)
        planned, end = self.config.max_num_iterations, self.pipeline.planned_end
        if end is not None:
            # Steps of the refinement stage come on top of those asked for, which the schedules are made for.
            self.config.max_num_iterations = end - self._start_step
            writer.GLOBAL_BUFFER["max_iter"] = end
        try:
            super().train()
        finally:
            self.config.max_num_iterations = planned

    def train_iteration(self, step: int) -> TRAIN_INTERATION_OUTPUT:
        """Take one step."""
        self._last_step = step
        return super().train_iteration(step)

    def _after_train(self) -> None:
        # Where training stops early, nerfstudio has already counted the step that it did not take.
        self.step = self._last_step
        record = {
            "seconds_train": time.perf_counter() - self._started,
            "steps": self.step + 1,
            "seed": self.config.machine.seed,
            "device": self.device,
            "method": self.config.method_name,
        }
        self.base_dir.mkdir(parents=True, exist_ok=True)
        (self.base_dir / TRAINING_RECORD).write_text(json.dumps(record, indent=1), "utf8")
        say(f"trained in {record['seconds_train']:.1f} s; run folder: {self.base_dir}")
        super()._after_train()
