"""The training of the reconstructor: one process, several side by side, or sharing what they hold, by accelerate."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch
from torch import nn

from neoverse_ns.console import progress, say, warn
from neoverse_ns.errors import RunError, SettingsError, WeightsError
from neoverse_ns.networks.neoverse.model import NeoVerseNetwork
from neoverse_ns.training.data.loader import TrainingBatches, training_batches
from neoverse_ns.training.data.sources_check import check_sources, described
from neoverse_ns.training.data.sources_text import sources_of
from neoverse_ns.training.data.tally import Tally
from neoverse_ns.training.reconstructor.checkpoint import whole_state, write_network
from neoverse_ns.training.reconstructor.config import ReconstructorTrainingConfig
from neoverse_ns.training.reconstructor.ema import MovingAverage
from neoverse_ns.training.reconstructor.initial import InitialConfig, starting_network
from neoverse_ns.training.reconstructor.learner import Learner
from neoverse_ns.training.reconstructor.objective import Objective
from neoverse_ns.training.reconstructor.parameter_groups import parameter_groups
from neoverse_ns.training.reconstructor.state import RunState
from neoverse_ns.training.reconstructor.stepping import Stepper, Told
from neoverse_ns.training.reconstructor.validation.validate import Validation
from neoverse_ns.training.runs.checkpoints import (
    begin_checkpoint,
    checkpoint_step,
    finish_checkpoint,
    newest_checkpoint,
    unfinished_checkpoint,
)
from neoverse_ns.training.runs.figures import Figures
from neoverse_ns.training.runs.non_finite import NonFiniteGuard
from neoverse_ns.training.runs.output import check_output
from neoverse_ns.training.runs.pace import Pace
from neoverse_ns.training.runs.processes import chosen_precision, make_accelerator
from neoverse_ns.training.runs.settings import changed_settings, plain_settings, write_settings

NOT_OF_THE_RESULT = (
    *("steps", "device", "precision", "recompute", "workers", "validation", "log_every"),
    *("save_every", "keep", "keep_every", "resume", "initial"),
)
"""Settings that may change from one start of a run to the next without a word."""


class ReconstructorTrainer:
    """Trains the network, going on from the newest checkpoint of the output folder where there is one.

    Attributes:
        step: Optimiser steps that were taken.
        network: What is trained.
    """

    def __init__(self, output: Path, config: ReconstructorTrainingConfig) -> None:
        """Make everything ready.

        Args:
            output: Where checkpoints, figures and pictures go.
            config: See :class:`ReconstructorTrainingConfig`.

        Raises:
            SettingsError, ClipError, WeightsError, RunError: Something given cannot be used.
        """
        config.validate()
        check_output(output)
        self.config, self.output, self.step = config, output, 0
        # The trunk sees to mixed precision by itself, so that heads and losses stay in float32.
        self.accelerator = make_accelerator(output, config.device, "no", config.optimiser.accumulate)
        self._sources = sources_of(config.data, config.batch)
        check_sources(self._sources)
        newest = newest_checkpoint(output, config.resume)
        self._compare(newest)
        self.network = self._begin(newest)
        learner = self._learner(self.network)
        optimiser = config.optimiser
        groups = parameter_groups(self.network, optimiser.rates(), optimiser.weight_decay)
        if not groups:
            raise SettingsError("everything is frozen: nothing would be learned")
        adam = torch.optim.AdamW(groups, lr=optimiser.rate, betas=optimiser.betas, eps=1e-8)
        self._check_deepspeed()
        self.prepared, self.optimizer = self.accelerator.prepare(learner, adam)
        # Where processes share parameters, others took the place of the network's own.
        self.network = self.accelerator.unwrap_model(self.prepared).objective.network
        self._state = RunState(NonFiniteGuard(self.accelerator), Tally(None, output, self.accelerator.process_index))
        if optimiser.ema is not None:
            learning = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
            self._state.average = MovingAverage(learning, optimiser.ema)
        if newest is not None:
            self._state.load(self.accelerator, newest)
            self.step = checkpoint_step(newest)
        self.validation = Validation(self.accelerator, config, output)

    def run(self) -> None:
        """Train to the last step, with checkpoints and validations on the way; where that is done, say so.

        Raises:
            RunError: Too many steps are not finite, too many clips bad, or a checkpoint cannot be written.
        """
        config, accelerator = self.config, self.accelerator
        if self.step >= config.steps:
            self._tell(f"{self.output} already has {self.step} steps: give a larger --steps than {config.steps}")
            return
        figures = Figures(
            accelerator, self.output, {"seed": config.seed, "rate": config.optimiser.rate, "steps": config.steps}
        )
        count = sum(parameter.numel() for parameter in self.network.parameters() if parameter.requires_grad)
        self._tell(f"training {count:,} parameters on {accelerator.num_processes} x {accelerator.device.type}")
        for line in described(self._sources):
            self._tell(line)
        most = config.batch.keyframes[1]
        if config.batch.frames_per_gpu < most:
            self._tell(
                f"clips of up to {most} keyframes are more than batch.frames-per-gpu {config.batch.frames_per_gpu}: "
                "of those a process takes one nevertheless"
            )
        batches, pace = self._batches(), Pace()
        batches.begin()
        stepper = Stepper(accelerator, self.prepared, self.optimizer, self.network, config, self._state.guard, pace)
        told = Told()
        if self.step == 0:
            self._validate(figures, pace)
        try:
            with progress("training the reconstructor", config.steps - self.step) as bar:
                while self.step < config.steps:
                    told.add(stepper.take(self.step, batches))
                    self.step += 1
                    if self._state.average is not None:
                        self._state.average.update()
                    bar.advance(note=f"loss {told.last:.4f}")
                    if self.step % config.log_every == 0 or self.step == config.steps:
                        figures.log(self.step, {**told.means(), **pace.read()}, f"step {self.step}")
                        told = Told()
                    self._now_and_then(figures, pace, batches)
        finally:
            batches.close()
        self._report(pace)
        accelerator.end_training()

    def save(self, history: list[list[int]] | None = None) -> Path:
        """Write a checkpoint, whole or not at all: the network as released, and all that is needed to go on.

        Raises:
            RunError: The folder cannot be written.
        """
        accelerator, folder = self.accelerator, unfinished_checkpoint(self.output, self.step)
        if accelerator.is_main_process:
            begin_checkpoint(self.output, self.step)
        accelerator.wait_for_everyone()
        self._state.history = history
        self._state.save(accelerator, folder)
        with self._averaged():
            weights = whole_state(accelerator, self.prepared)
            # Within the block: on a CPU these are the parameters themselves.
            if accelerator.is_main_process:
                write_network(weights, self.network.architecture, folder)
                write_settings(plain_settings(self.config, NOT_OF_THE_RESULT), folder)
        accelerator.wait_for_everyone()
        if accelerator.is_main_process:
            folder = finish_checkpoint(folder, self.config.keep, self.config.keep_every)
            self._tell(f"step {self.step}: saved {folder}")
        accelerator.wait_for_everyone()
        return folder

    def _now_and_then(self, figures: Figures, pace: Pace, batches: TrainingBatches) -> None:
        config, last = self.config, self.step == self.config.steps
        if self.step % config.save_every == 0 or last:
            with pace.paused():
                self.save(batches.history())
        if config.validation.every and (self.step % config.validation.every == 0 or last):
            self._validate(figures, pace)

    def _validate(self, figures: Figures, pace: Pace) -> None:
        if not self.config.validation.every:
            return
        with pace.paused(), self._averaged():
            self.validation.run(self.prepared, self.step, figures)

    def _averaged(self) -> AbstractContextManager[None]:
        return nullcontext() if self._state.average is None else self._state.average.in_place()

    def _batches(self) -> TrainingBatches:
        config, accelerator = self.config, self.accelerator
        return training_batches(
            self._sources,
            config.batch,
            config.sample,
            config.seed,
            first_step=self.step * config.optimiser.accumulate,
            rank=accelerator.process_index,
            world_size=accelerator.num_processes,
            workers=config.workers,
            tally=self._state.tally,
            curriculum=config.curriculum,
            history=self._state.history or (),
            pin_memory=accelerator.device.type == "cuda",
        )

    def _begin(self, newest: Path | None) -> NeoVerseNetwork:
        config = self.config
        # A checkpoint tells its own size, and its weights take the place of those it once began with.
        initial = config.initial if newest is None else InitialConfig("published", str(newest))
        try:
            network = starting_network(initial, config.network, config.seed, config.batch.longest_side, newest is None)
        except WeightsError as error:
            if newest is None:
                raise
            reason = str(error).removesuffix(": download it again")
            raise RunError(f"{reason}: delete {newest}, so that the run goes on from the checkpoint before") from error
        if config.batch.patch % network.architecture.patch_size:
            patch = network.architecture.patch_size
            raise SettingsError(f"batch.patch is {config.batch.patch}, but the network's patches are {patch} pixels")
        idle = () if config.loss.points else ("pts_head.",)
        for prefix in config.frozen:
            if not any(name.startswith(prefix) for name, _ in network.named_parameters()):
                parts = sorted({name.partition(".")[0] for name, _ in network.named_parameters()})
                raise SettingsError(
                    f"frozen: no parameter's name begins with '{prefix}'; names begin with {', '.join(parts)}"
                )
        for name, parameter in network.named_parameters():
            if name.startswith((*config.frozen, *idle)):
                parameter.requires_grad_(False)
        return network

    def _compare(self, newest: Path | None) -> None:
        """Say from where a run goes on, and what is not as it was.

        Raises:
            SettingsError: It is another network.
        """
        if newest is None:
            return
        self._tell(f"going on from step {checkpoint_step(newest)} ({newest})")
        changed = changed_settings(plain_settings(self.config, NOT_OF_THE_RESULT), newest)
        sizes = [one for one in changed if one.startswith("network.")]
        if sizes:
            raise SettingsError(
                f"the run in {self.output} is of another network ({'; '.join(sizes)}): give its sizes, or another "
                "--output-dir"
            )
        if changed and self.accelerator.is_main_process:
            warn(f"this run's settings were others before: {'; '.join(changed)}")

    def _learner(self, network: NeoVerseNetwork) -> nn.Module:
        config = self.config
        mixed = chosen_precision(config.precision, config.device) == "bf16"
        objective = Objective(network, config.loss, config.drawing, recompute=config.recompute, mixed_precision=mixed)
        return Learner(objective)

    def _check_deepspeed(self) -> None:
        plugin = getattr(self.accelerator.state, "deepspeed_plugin", None)
        if plugin is None:
            return
        if self.config.optimiser.ema is not None:
            raise SettingsError("optimiser.ema does not go with DeepSpeed, which holds the weights: leave it out")
        settings = plugin.deepspeed_config
        # accelerate reads the size of batches from its own loaders, of which there are none here.
        settings["train_micro_batch_size_per_gpu"] = 1
        if settings.get("gradient_clipping", "auto") == "auto":
            settings["gradient_clipping"] = self.config.optimiser.clip

    def _report(self, pace: Pace) -> None:
        whole = pace.whole()
        self._tell(
            f"{whole['frames_per_second']:.1f} frames per second, {whole['seconds_per_step']:.2f} seconds a step, "
            f"{100 * whole['waiting']:.1f} % of the time waiting for data; {self._state.tally.summary()}"
        )

    def _tell(self, message: str) -> None:
        if self.accelerator.is_main_process:
            say(message)
