"""Settings of training the reconstructor."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from neoverse_ns.errors import SettingsError
from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.training.data.draw import SampleConfig
from neoverse_ns.training.data.mixture import CurriculumConfig
from neoverse_ns.training.data.plan import PlanConfig
from neoverse_ns.training.reconstructor.drawing.config import DrawingConfig
from neoverse_ns.training.reconstructor.initial import InitialConfig
from neoverse_ns.training.reconstructor.losses.config import LossConfig
from neoverse_ns.training.reconstructor.parameter_groups import Kind
from neoverse_ns.training.runs.processes import Device, Precision


@dataclass
class OptimiserConfig:
    """AdamW, and how its steps are taken; the defaults are the paper's where it gives them."""

    rate: float = 1e-4
    """Peak learning rate of all but the next two."""
    rate_patch_embed: float = 2e-5
    """Of what makes patch tokens: DINOv2."""
    rate_new: float = 1e-4
    """Of what NeoVerse adds to WorldMirror: the motion branch, its heads, and the look of moving Gaussians."""
    rate_heads: float | None = None
    """Of the heads that WorldMirror has; None for `rate`. From scratch a trunk that learns as fast
    as they do forgets how pictures differ before they can read it."""
    warm_up: int = 5_000
    """Steps in which the rates rise."""
    end: float = 0.1
    """Share of their peaks that the rates fall to, along a cosine."""
    betas: tuple[float, float] = (0.9, 0.95)
    """Of the moving averages of gradients and of their squares."""
    weight_decay: float = 0.05
    """Of tensors with two dimensions or more."""
    clip: float = 1.0
    """Gradients of a larger norm are scaled down to it."""
    clip_by: Literal["module", "all"] = "module"
    """Take the norm of each module by itself, as VGGT does, or of all of them."""
    ema: float | None = None
    """Also average the weights, with this decay (such as 0.9999); checkpoints then hold the averages."""
    accumulate: int = 1
    """Batches to a step."""

    def rates(self) -> dict[Kind, float]:
        rates: dict[Kind, float] = {"patch_embed": self.rate_patch_embed, "backbone": self.rate, "new": self.rate_new}
        return rates if self.rate_heads is None else {**rates, "heads": self.rate_heads}

    def validate(self) -> None:
        """Raise SettingsError where a value is out of range."""
        for name in ("rate", "rate_patch_embed", "rate_new", "rate_heads", "clip"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise SettingsError(f"optimiser.{name} must be a finite number above 0, got {value}")
        if not 0 <= self.end <= 1:
            raise SettingsError(f"optimiser.end must lie in 0..1, got {self.end}")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise SettingsError(f"optimiser.betas must lie in 0..1 without 1, got {self.betas}")
        if not (math.isfinite(self.weight_decay) and self.weight_decay >= 0):
            raise SettingsError(f"optimiser.weight_decay must be 0 or more, got {self.weight_decay}")
        if self.ema is not None and not 0 < self.ema < 1:
            raise SettingsError(f"optimiser.ema must lie between 0 and 1, got {self.ema}")
        if self.warm_up < 0 or self.accumulate < 1:
            raise SettingsError("optimiser.warm_up must be 0 or more, optimiser.accumulate 1 or more")


@dataclass
class ValidationConfig:
    """What is looked at on the way."""

    every: int = 1_000
    """Steps between two validations; 0 for none."""
    samples: int = 32
    """Samples in all, the same each time, spread over the data sets."""
    keyframes: int = 4
    """Of each."""
    split: str = "val"
    """Of the data sets; those without clips in it are not validated on."""
    pictures: bool = True
    """Write one picture of each data set."""

    def validate(self) -> None:
        """Raise SettingsError where a value is out of range."""
        if self.every < 0 or self.samples < 1 or self.keyframes < 2:
            raise SettingsError("validation.every must be 0 or more, samples 1 or more and keyframes 2 or more")


@dataclass
class ReconstructorTrainingConfig:
    """What the reconstructor learns from, and how."""

    data: tuple[str, ...] = ("worlds",)
    """Where clips come from: a manifest (`clips.jsonl`), shards, or a folder of a data set (`point_odyssey=/data/po`),
    each with its weight behind an @ (`clips.jsonl@2`); `worlds` are endless synthetic ones that need no files."""
    steps: int = 150_000
    """Optimiser steps in total, those before a restart included."""
    seed: int = 0
    """Of everything random; a step's batch depends on nothing but it, the step and the number of processes."""
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    """How weights are changed."""
    batch: PlanConfig = field(default_factory=PlanConfig)
    """How many frames, and of what size."""
    sample: SampleConfig = field(default_factory=SampleConfig)
    """How samples are made of clips."""
    curriculum: CurriculumConfig = field(default_factory=CurriculumConfig)
    """From static clips to all."""
    initial: InitialConfig = field(default_factory=InitialConfig)
    """What it begins with."""
    network: NetworkArchitecture = field(default_factory=NetworkArchitecture)
    """Its sizes, where it begins from scratch."""
    loss: LossConfig = field(default_factory=LossConfig)
    """Weights of the terms."""
    drawing: DrawingConfig = field(default_factory=DrawingConfig)
    """How predictions are drawn."""
    frozen: tuple[str, ...] = ()
    """Parameters whose names begin so do not learn, such as `visual_geometry_transformer.patch_embed`."""

    device: Device = "auto"
    """Where it trains; `auto` takes CUDA where there is a device, and what accelerate was launched with."""
    precision: Precision = "auto"
    """`bf16` multiplies the trunk's matrices in bfloat16, the rest stays float32; `auto` does so on CUDA."""
    recompute: bool = True
    """Compute trunk, motion branch and heads again in the backward pass instead of keeping what is inside them; needed
    at the released size."""
    workers: int = 8
    """Processes that load data, for each that trains; 0 loads in between."""

    validation: ValidationConfig = field(default_factory=ValidationConfig)
    """What is looked at on the way."""
    log_every: int = 10
    """Steps between two lines of figures."""
    save_every: int = 1_000
    """Steps between two checkpoints; the last step is always saved."""
    keep: int = 3
    """Newest checkpoints that are kept."""
    keep_every: int | None = 25_000
    """Checkpoints of every so many steps are kept, too."""
    resume: bool = True
    """Go on from the newest checkpoint of the output folder, where there is one."""

    def validate(self) -> None:
        """Check every setting.

        Raises:
            SettingsError: One is out of range; names it and the value.
        """
        for name in ("steps", "log_every", "save_every", "keep"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} must be 1 or more, got {getattr(self, name)}")
        if self.keep_every is not None and self.keep_every < 1:
            raise SettingsError(f"keep_every must be 1 or more, got {self.keep_every}")
        if self.workers < 0:
            raise SettingsError(f"workers must be 0 or more, got {self.workers}")
        if not self.data:
            raise SettingsError("data names no clips: give a manifest, a folder, or worlds")
        self.network.validate()
        if self.initial.start == "scratch" and self.batch.patch % self.network.patch_size:
            raise SettingsError(
                f"batch.patch is {self.batch.patch}, but the network's patches are {self.network.patch_size} pixels"
            )
        for part in (self.optimiser, self.batch, self.sample, self.curriculum, self.initial, self.loss, self.drawing):
            part.validate()
        self.validation.validate()


def small() -> ReconstructorTrainingConfig:
    """A network that two CPU cores train on synthetic worlds within an hour.

    Its patches are half as large as the release's, as are its pictures a sixth: as many of them still cross a picture.
    """
    return ReconstructorTrainingConfig(
        steps=2_500,
        optimiser=OptimiserConfig(
            rate=5e-5, rate_patch_embed=5e-5, rate_heads=5e-4, rate_new=5e-4, warm_up=50, ema=0.99
        ),
        batch=PlanConfig(keyframes=(3, 3), frames_per_gpu=6, longest_side=98, aspect=(1.75, 1.75)),
        sample=SampleConfig(enlargement=1.0),
        initial=InitialConfig(start="scratch"),
        network=NetworkArchitecture(
            patch_embed="conv",
            embed_dim=96,
            depth=4,
            heads=3,
            taps=(0, 1, 2, 3),
            gs_dim=32,
            features=16,
            out_channels=(16, 16, 32, 32),
            patch_size=7,
            pixel_centres=True,
            positions=True,
        ),
        # Motion and turns of synthetic worlds are a few hundredths: so weighted they count as much as the other terms.
        loss=LossConfig(
            camera=20.0, camera_rounds="last", camera_smooth=0.1, motion_form="plain", motion_smooth=0.02, motion=10.0
        ),
        recompute=False,
        workers=1,
        validation=ValidationConfig(every=500, samples=16, keyframes=3),
        save_every=500,
        keep_every=None,
    )
