"""The training loop: one process, several (DDP), or DeepSpeed's ZeRO stage 2, all through accelerate."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from neoverse_ns.console import progress, say, warn
from neoverse_ns.errors import RefinementError
from neoverse_ns.generate.refiners.wan.components import (
    load_control,
    load_text_encoder,
    load_tokenizer,
    load_transformer,
    load_vae,
)
from neoverse_ns.generate.refiners.wan.files import WanFiles, find_wan_files
from neoverse_ns.generate.refiners.wan.schedule import training_noise
from neoverse_ns.generate.refiners.wan.text import encode_prompt
from neoverse_ns.generate.refiners.wan.transformer import ControlledWanTransformer
from neoverse_ns.training.control import checkpoint
from neoverse_ns.training.control.clips import TrainingClip, find_clips
from neoverse_ns.training.control.config import ControlTrainingConfig
from neoverse_ns.training.control.deepspeed import deepspeed_file
from neoverse_ns.training.control.fresh import with_fresh_control
from neoverse_ns.training.control.objective import flow_matching_loss, make_example
from neoverse_ns.training.control.pairs import PairStream


class ControlTrainer:
    """Trains the control branch; Wan, the autoencoder and the text encoder stay as they are."""

    def __init__(self, clips: Path, output: Path, config: ControlTrainingConfig) -> None:
        """Load the model and make everything ready, going on from the newest checkpoint where there is one.

        Args:
            clips: Folder of videos and folders of images.
            output: Where checkpoints and figures go.
            config: See :class:`ControlTrainingConfig`.

        Raises:
            SettingsError, ClipError, WeightsError, RunError, RefinementError: Something given cannot be used.
        """
        config.validate()
        self.config, self.output = config, output
        found = find_clips(clips)
        files = find_wan_files(config.wan)
        self.accelerator = self._accelerator()
        device = self.accelerator.device
        self._frozen_dtype = torch.bfloat16 if self.accelerator.mixed_precision == "bf16" else torch.float32
        self._texts = self._embed(files, found, device)
        self.vae = load_vae(files.vae, self._frozen_dtype, device)
        self.model = self._load_model(files, device)
        self.pairs = PairStream(found, config, device)
        self.levels = training_noise()
        self.step = 0
        resumed = self._newest()
        if resumed is not None:
            load_control(self.model, resumed / checkpoint.CONTROL_FILE, torch.float32, device)
        self.parameters = self._free_control()
        optimizer = torch.optim.AdamW(self.parameters, lr=config.learning_rate)
        self._register_state_hooks()
        self.prepared, self.optimizer = self.accelerator.prepare(self.model, optimizer)
        if resumed is not None:
            self.accelerator.load_state(str(resumed / checkpoint.STATE_FOLDER), load_module_strict=False)
            self.step = checkpoint.checkpoint_step(resumed)
            self._tell(f"going on from step {self.step} ({resumed})")

    def run(self) -> list[float]:
        """Train to the last step, with checkpoints on the way.

        Returns:
            This process's loss at every step.

        Raises:
            RefinementError: The loss is not finite.
            RunError: A checkpoint cannot be written.
        """
        config, accelerator = self.config, self.accelerator
        accelerator.init_trackers("figures", config={"learning_rate": config.learning_rate, "seed": config.seed})
        count = sum(parameter.numel() for parameter in self.parameters)
        self._tell(f"training {count:,} parameters on {accelerator.num_processes} x {accelerator.device.type}")
        losses: list[float] = []
        started = time.perf_counter()
        with progress("training the control branch", config.steps - self.step) as bar:
            while self.step < config.steps:
                loss, norm = self._take_step()
                self.step += 1
                losses.append(loss)
                bar.advance(note=f"loss {loss:.4f}")
                if self.step % config.log_every == 0 or self.step == config.steps:
                    seconds = (time.perf_counter() - started) / len(losses)
                    self._log({"loss": loss, "gradient_norm": norm, "seconds_per_step": seconds})
                if self.step % config.save_every == 0 or self.step == config.steps:
                    self.save()
        if config.save_model and accelerator.is_main_process:
            checkpoint.save_model(self.model, self.output / checkpoint.MODEL, self._frozen_dtype)
        accelerator.end_training()
        return losses

    def save(self) -> Path:
        """Write a checkpoint: the control branch under the release's names, optimiser, random states.

        Raises:
            RunError: The folder cannot be written.
        """
        folder = checkpoint.checkpoint_folder(self.output, self.step)
        if self.accelerator.is_main_process:
            checkpoint.save_control(self.model, folder, self.step)
        self.accelerator.wait_for_everyone()
        # DeepSpeed saves through its own engine, which need not repeat what never changes.
        own = {"exclude_frozen_parameters": True} if self.config.deepspeed else {}
        self.accelerator.save_state(str(folder / checkpoint.STATE_FOLDER), **own)
        if self.accelerator.is_main_process:
            checkpoint.finish_checkpoint(folder, self.step, self.config.keep)
            self._tell(f"step {self.step}: saved {folder}")
        return folder

    def _take_step(self) -> tuple[float, float]:
        """One optimiser step: its loss, and the gradients' norm before clipping."""
        total, norm = 0.0, 0.0
        for part in range(self.config.accumulate):
            generator = torch.Generator().manual_seed(self._seed(part))
            with self.accelerator.accumulate(self.prepared):
                draw = self.pairs.draw(generator)
                text = self._text(draw.prompt)
                levels, device = len(self.levels.sigmas), self.accelerator.device
                example = make_example(self.vae, draw.pair, text, levels, generator, device, draw.unit)
                loss = flow_matching_loss(self.prepared, example, self.levels, self._frozen_dtype)
                value = float(loss.detach())
                if not torch.isfinite(loss.detach()):
                    raise RefinementError(
                        f"the loss is not finite at step {self.step} (clip {draw.clip.path.name}): go on from the last "
                        "checkpoint with a lower learning rate, or without that clip"
                    )
                self.accelerator.backward(loss)
                if self.accelerator.sync_gradients:
                    clipped = self.accelerator.clip_grad_norm_(self.parameters, self.config.clip_norm)
                    norm = 0.0 if clipped is None else float(clipped)
                self.optimizer.step()
                self.optimizer.zero_grad()
            total += value / self.config.accumulate
        return total, norm

    def _seed(self, part: int) -> int:
        """Of one pair: a function of where training stands, so that stopping and resuming changes nothing."""
        place = f"{self.config.seed}/{self.step}/{part}/{self.accelerator.process_index}"
        return int(hashlib.sha256(place.encode()).hexdigest()[:15], 16)

    def _accelerator(self) -> Any:
        from accelerate import Accelerator
        from accelerate.utils import DeepSpeedPlugin

        config = self.config
        on_cpu = config.device == "cpu" or not torch.cuda.is_available()
        precision = config.precision
        if precision == "auto":
            precision = "no" if on_cpu else "bf16"
        plugin = None
        if config.deepspeed or config.deepspeed_config is not None:
            file = deepspeed_file(config, self.output, precision == "bf16")
            plugin = DeepSpeedPlugin(hf_ds_config=str(file))
        return Accelerator(
            cpu=on_cpu,
            mixed_precision=precision,
            gradient_accumulation_steps=config.accumulate,
            log_with="tensorboard",
            project_dir=str(self.output),
            deepspeed_plugin=plugin,
        )

    def _embed(self, files: WanFiles, clips: list[TrainingClip], device: torch.device) -> dict[str, Tensor]:
        """Embeddings of every prompt there is, up to their ends; the encoder, a third of the model, is then dropped."""
        tokenizer = load_tokenizer(files.tokenizer)
        encoder = load_text_encoder(files.text_encoder, self._frozen_dtype, device)
        prompts = {self.config.prompt, "", *(clip.caption for clip in clips if clip.caption)}
        texts = {}
        with progress("encoding prompts", len(prompts)) as bar:
            for prompt in sorted(prompts):
                text = encode_prompt(tokenizer, encoder, prompt, device)
                self._length = text.shape[1]
                texts[prompt] = text[:, : int(text.any(dim=-1).sum())].clone()
                bar.advance()
        del encoder
        if device.type == "cuda":
            torch.cuda.empty_cache()
        return texts

    def _text(self, prompt: str) -> Tensor:
        short = self._texts[prompt]
        return torch.nn.functional.pad(short, (0, 0, 0, self._length - short.shape[1]))

    def _load_model(self, files: WanFiles, device: torch.device) -> ControlledWanTransformer:
        config = self.config
        if config.fresh_control is not None:
            return with_fresh_control(files.transformer, config.fresh_control, self._frozen_dtype, device, config.seed)
        return load_transformer(files.transformer, self._frozen_dtype, device, control=files.control)

    def _free_control(self) -> list[torch.nn.Parameter]:
        """Let the control branch learn, in float32: steps of 1e-5 would be lost in bfloat16."""
        self.model.requires_grad_(False)
        parameters: list[torch.nn.Parameter] = []
        for module in self.model.control_modules().values():
            module.to(torch.float32)
            parameters += module.requires_grad_(True).parameters()
        self.model.train()
        if self.config.gradient_checkpointing:
            self.model.enable_gradient_checkpointing()
        return parameters

    def _register_state_hooks(self) -> None:
        """Keep accelerate from saving the frozen gigabytes with every checkpoint: the branch is saved by itself."""
        if self.config.deepspeed:
            return
        self.accelerator.register_save_state_pre_hook(lambda models, weights, folder: weights.clear())
        self.accelerator.register_load_state_pre_hook(lambda models, folder: models.clear())

    def _newest(self) -> Path | None:
        finished = checkpoint.finished_checkpoints(self.output)
        if not finished:
            return None
        if not self.config.resume:
            warn(f"{self.output} has checkpoints of an earlier run, which this one will replace one by one")
            return None
        return finished[-1]

    def _log(self, figures: dict[str, float]) -> None:
        """To tensorboard, averaged over the processes, and as one line."""
        mean = {name: float(self._average(value)) for name, value in figures.items()}
        self.accelerator.log(mean, step=self.step)
        self._tell(f"step {self.step}: " + ", ".join(f"{name} {value:.4g}" for name, value in mean.items()))

    def _average(self, value: float) -> Tensor:
        return self.accelerator.reduce(torch.tensor(value, device=self.accelerator.device), reduction="mean")

    def _tell(self, message: str) -> None:
        if self.accelerator.is_main_process:
            say(message)
