"""The training loop: one process, several (DDP), FSDP2 or DeepSpeed's ZeRO stage 2, all through accelerate."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import torch

from neoverse_ns.console import progress, say, warn
from neoverse_ns.errors import RunError
from neoverse_ns.generate.refiners.wan.components import load_control, load_vae
from neoverse_ns.generate.refiners.wan.files import find_wan_files
from neoverse_ns.generate.refiners.wan.schedule import training_noise
from neoverse_ns.training.control import checkpoint
from neoverse_ns.training.control.config import ControlTrainingConfig
from neoverse_ns.training.control.deepspeed import deepspeed_file
from neoverse_ns.training.control.finding import find_source, prompts_of
from neoverse_ns.training.control.model import control_parameters, free_control, load_model
from neoverse_ns.training.control.objective import flow_matching_loss, make_example
from neoverse_ns.training.control.pairs import Draw, PairStream
from neoverse_ns.training.control.scenes import SceneMaker, scene_maker
from neoverse_ns.training.control.sharing import load_shared, save_shared, share_control, whole
from neoverse_ns.training.control.texts import Texts
from neoverse_ns.training.data.tally import Tally
from neoverse_ns.training.runs.checkpoints import (
    begin_checkpoint,
    checkpoint_step,
    finish_checkpoint,
    newest_checkpoint,
    told_where,
    unfinished_checkpoint,
)
from neoverse_ns.training.runs.figures import Figures
from neoverse_ns.training.runs.non_finite import NonFiniteGuard
from neoverse_ns.training.runs.output import check_output
from neoverse_ns.training.runs.pace import Pace
from neoverse_ns.training.runs.processes import chosen_precision, make_accelerator
from neoverse_ns.training.runs.settings import changed_settings, plain_settings, write_settings

STATE, SHARED = "state", "shared"
"""Folders of a checkpoint: what accelerate keeps, and optimiser states that the processes divide."""

NOT_OF_THE_RESULT = (
    *("steps", "device", "precision", "gradient_checkpointing", "deepspeed_config", "workers", "text_on"),
    *("log_every", "save_every", "keep", "resume", "save_model"),
)
"""Settings that may change from one start of a run to the next without a word."""


class ControlTrainer:
    """Trains the control branch; Wan, the autoencoder, the text encoder and the reconstructor stay as they are.

    Every model is loaded once and lives as long as this; nothing is written but checkpoints, figures and the list of
    clips that could not be used.
    """

    def __init__(
        self, clips: Path, output: Path, config: ControlTrainingConfig, scenes: SceneMaker | None = None
    ) -> None:
        """Load the models and make everything ready, going on from the newest checkpoint where there is one.

        Args:
            clips: Folder of videos and folders of images, or a manifest.
            output: Where checkpoints and figures go.
            config: See :class:`ControlTrainingConfig`.
            scenes: Makes scenes in place of what `config.scene` leads to.

        Raises:
            SettingsError, ClipError, WeightsError, RunError, RefinementError: Something given cannot be used.
        """
        config.validate()
        check_output(output)
        self.config, self.output = config, output
        files = find_wan_files(config.wan)
        self.accelerator = self._accelerator()
        device = self.accelerator.device
        self.scenes = scenes or scene_maker(config.scene, device)
        source = find_source(clips, config, device, self.scenes.wants_tracking)
        self._frozen_dtype = torch.bfloat16 if self.accelerator.mixed_precision == "bf16" else torch.float32
        prompts = prompts_of(source, config) if config.text_on == "drop" else []
        self.texts = Texts(files, self._frozen_dtype, device, config.text_on, prompts)
        self.vae = load_vae(files.vae, self._frozen_dtype, device)
        self.model = load_model(config, files, self._frozen_dtype, device)
        self.levels = training_noise()
        self.guard = NonFiniteGuard(self.accelerator)
        self.tally = Tally(config.bad_clips, output, self.accelerator.process_index)
        self.step = 0
        resumed = newest_checkpoint(output, config.resume)
        self._compare(resumed)
        if resumed is not None:
            load_control(self.model, resumed / checkpoint.CONTROL_FILE, torch.float32, device)
        free_control(self.model, config.gradient_checkpointing)
        if config.fsdp:
            share_control(self.model)
        self.parameters = control_parameters(self.model)
        self._prepare()
        if resumed is not None:
            self._load(resumed)
        self.pace = Pace()
        self.pairs = PairStream(
            source,
            config,
            self.scenes,
            self.tally,
            self.step,
            self.accelerator.process_index,
            self.accelerator.num_processes,
        )

    def run(self) -> list[float]:
        """Train to the last step, with checkpoints on the way.

        Returns:
            This process's loss at every step; NaN where the step was left out. None where all were taken before.

        Raises:
            RunError: A checkpoint cannot be written, too many clips cannot be used, or losses stay not finite.
        """
        config = self.config
        if self.step >= config.steps:
            if self.accelerator.is_main_process:
                say(f"{self.output} already has {self.step} steps: give a larger --steps than {config.steps}")
            return []
        plain = {"learning_rate": config.learning_rate, "seed": config.seed}
        figures = Figures(self.accelerator, self.output, plain)
        count = sum(parameter.numel() for parameter in self.parameters)
        processes, kind = self.accelerator.num_processes, self.accelerator.device.type
        figures.tell(f"training {count:,} parameters on {processes} x {kind}")
        losses: list[float] = []
        with progress("training the control branch", config.steps - self.step) as bar:
            while self.step < config.steps:
                loss, norm = self._take_step()
                self.step += 1
                losses.append(loss)
                bar.advance(note=f"loss {loss:.4f}")
                if self.step % config.log_every == 0 or self.step == config.steps:
                    measured = {"loss": loss, "gradient_norm": norm, **self.pace.read()}
                    figures.log(self.step, measured, f"step {self.step}")
                if self.step % config.save_every == 0 or self.step == config.steps:
                    figures.tell(f"step {self.step}: saved {self.save()}")
        if config.save_model:
            self._save_model()
        if self.tally.failures:
            warn(f"{self.tally.summary()}; see {self.tally.path}")
        self.accelerator.end_training()
        return losses

    def save(self) -> Path:
        """Write a checkpoint: the branch under the release's names, optimiser, random states, tally of bad clips.

        Raises:
            RunError: The folder cannot be written.
        """
        accelerator = self.accelerator
        folder = unfinished_checkpoint(self.output, self.step)
        if accelerator.is_main_process:
            begin_checkpoint(self.output, self.step)
        accelerator.wait_for_everyone()
        branch = checkpoint.control_state(self.model)
        if accelerator.is_main_process:
            checkpoint.save_control(branch, folder, self.step)
            write_settings(plain_settings(self.config, NOT_OF_THE_RESULT), folder)
        del branch
        # DeepSpeed saves through its own engine, which need not repeat what never changes.
        own = {"exclude_frozen_parameters": True} if self.config.deepspeed else {}
        accelerator.save_state(str(folder / STATE), **own)
        if self.config.fsdp:
            save_shared(self.model, self._plain_optimizer, folder / SHARED)
        with told_where(folder):
            state = {"tally": self.tally.state_dict(), "guard": self.guard.state_dict()}
            (folder / STATE / f"run.{accelerator.process_index}.json").write_text(json.dumps(state))
        accelerator.wait_for_everyone()
        if accelerator.is_main_process:
            finish_checkpoint(folder, self.config.keep)
        accelerator.wait_for_everyone()
        return folder.with_suffix("")

    def _take_step(self) -> tuple[float, float]:
        """One optimiser step: its loss, and the gradients' norm before clipping; NaN where it was left out."""
        total, good, names, parts = 0.0, True, [], self.config.accumulate
        for part in range(parts):
            with self.accelerator.accumulate(self.prepared):
                draw = self.pace.waited(self.pairs)
                names.append(draw.name)
                loss = self._loss(draw)
                value = float(loss.detach())
                total += value / parts
                # DeepSpeed steps within the backward pass, so it must be asked before.
                if self.config.deepspeed and not self.guard.good(self.step, {"loss": value}, [draw.name]):
                    good = False
                    continue
                self._backward(loss, last=part == parts - 1)
        self.pace.count(parts * self.config.frames * self.accelerator.num_processes)
        norm = self._clipped()
        if not self.config.deepspeed:
            good = self.guard.good(self.step, {"loss": total, "gradients' norm": norm}, names)
        if good:
            self.optimizer.step()
        self.optimizer.zero_grad()
        return (total, norm) if good else (math.nan, math.nan)

    def _loss(self, draw: Draw) -> torch.Tensor:
        device = self.accelerator.device
        text, levels = self.texts(draw.prompt), len(self.levels.sigmas)
        example = make_example(self.vae, draw.pair, text, levels, draw.generator, device, draw.unit)
        with self.accelerator.autocast():
            return flow_matching_loss(self.prepared, example, self.levels, self._frozen_dtype)

    def _backward(self, loss: torch.Tensor, last: bool) -> None:
        if self.config.fsdp:
            self.model.set_requires_gradient_sync(last)  # pyright: ignore[reportCallIssue]
        self.accelerator.backward(loss)

    def _clipped(self) -> float:
        """Norm of all gradients, which are scaled down to the largest allowed."""
        norm = self.accelerator.clip_grad_norm_(self.parameters, self.config.clip_norm)
        return 0.0 if norm is None else float(whole(norm))

    def _accelerator(self) -> Any:
        config = self.config
        precision = chosen_precision(config.precision, config.device)
        plugin = None
        if config.deepspeed or config.deepspeed_config is not None:
            from accelerate.utils import DeepSpeedPlugin

            plugin = DeepSpeedPlugin(hf_ds_config=str(deepspeed_file(config, self.output, precision == "bf16")))
        return make_accelerator(self.output, config.device, precision, config.accumulate, deepspeed_plugin=plugin)

    def _prepare(self) -> None:
        """Hand the model and its optimiser to accelerate, but for what FSDP2 has divided already."""
        self._plain_optimizer = torch.optim.AdamW(self.parameters, lr=self.config.learning_rate)
        if self.config.fsdp:
            self.prepared, self.optimizer = self.model, self._plain_optimizer
            return
        self.prepared, self.optimizer = self.accelerator.prepare(self.model, self._plain_optimizer)
        if not self.config.deepspeed:
            # Keeps accelerate from saving the frozen gigabytes with every checkpoint: the branch is saved by itself.
            self.accelerator.register_save_state_pre_hook(lambda models, weights, folder: weights.clear())
            self.accelerator.register_load_state_pre_hook(lambda models, folder: models.clear())

    def _load(self, folder: Path) -> None:
        own = {"load_module_strict": False} if self.config.deepspeed else {}
        self.accelerator.load_state(str(folder / STATE), **own)
        if self.config.fsdp:
            load_shared(self.model, self._plain_optimizer, folder / SHARED)
        self.step = checkpoint_step(folder)
        state = folder / STATE / f"run.{self.accelerator.process_index}.json"
        # A process that the run did not have before begins with nothing.
        if state.is_file():
            try:
                found = json.loads(state.read_text())
                self.tally.load_state_dict(found["tally"])
                self.guard.load_state_dict(found["guard"])
            except (ValueError, LookupError, TypeError) as error:
                raise RunError(f"{state} is damaged ({error}): delete {folder} to go on from the one before") from error

    def _compare(self, resumed: Path | None) -> None:
        """Say from where a run goes on, and what is not as it was."""
        if resumed is None or not self.accelerator.is_main_process:
            return
        say(f"going on from step {checkpoint_step(resumed)} ({resumed})")
        if changed := changed_settings(plain_settings(self.config, NOT_OF_THE_RESULT), resumed):
            warn(f"this run's settings were others before: {'; '.join(changed)}")

    def _save_model(self) -> None:
        branch = checkpoint.control_state(self.model)
        if self.accelerator.is_main_process:
            checkpoint.save_model(self.model, self.output / checkpoint.MODEL, self._frozen_dtype, control=branch)
