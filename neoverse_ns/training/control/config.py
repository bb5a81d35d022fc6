"""Settings of training the control branch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.errors import SettingsError
from neoverse_ns.generate.base import DEFAULT_PROMPT
from neoverse_ns.generate.degradation.settings import DegradationSettings, published
from neoverse_ns.generate.refiners.wan.config import FRAMES_PER_LATENT, WanSource
from neoverse_ns.reconstruct.config import SceneConfig


def _all_frames() -> SceneConfig:
    return SceneConfig(clip=ClipConfig(num_frames=81, spacing=5), held_out_every=0)


@dataclass
class ControlTrainingConfig:
    """What the control branch learns from, and how; the defaults are the paper's."""

    steps: int = 50_000
    """Optimiser steps in total, those before a resume included."""
    learning_rate: float = 1e-5
    """Of AdamW, constant."""
    clip_norm: float = 1.0
    """Gradients of a larger norm are scaled down to it."""
    accumulate: int = 1
    """Pairs per optimiser step and process."""
    frames: int = 81
    """Frames of a pair at most, 4k + 1; a random stretch of each clip."""
    context: tuple[int, int] | None = (11, 21)
    """Fewest and most frames whose pixels become Gaussians, spread evenly over the clip; their number is drawn anew at
    every visit. None leaves it to `scene`; so does a `scene.num_keyframes`."""
    random_start: bool = True
    """Begin each clip anywhere that its frames fit, anew at every visit, where `scene.clip.spacing` leaves a choice, as
    it does by default. Such scenes are made for the visit and not kept: no cache could hold them all. Without it a clip
    always begins at its first frame, and its scenes are read from the cache."""
    prompt: str = DEFAULT_PROMPT
    """Of clips without a text file of their name (`street.mp4`, `street.txt`)."""
    seed: int = 0
    """Of everything random; every step draws its own, so that a resumed run goes on as if it had not stopped."""

    device: Literal["auto", "cpu"] = "auto"
    """Where it trains; `auto` takes CUDA where there is a device, and what accelerate was launched with."""
    precision: Literal["auto", "bf16", "no"] = "auto"
    """`bf16` keeps Wan in bfloat16 and computes in it, the control branch's own weights staying float32; `no` is
    float32 throughout; `auto` takes bf16 on CUDA."""
    gradient_checkpointing: bool = True
    """Compute blocks' activations again in the backward pass instead of keeping them; needed at the released size."""
    deepspeed: bool = False
    """Share optimiser states and gradients between processes by DeepSpeed's ZeRO stage 2."""
    deepspeed_config: Path | None = None
    """Own DeepSpeed settings instead of the ones written to the output folder."""

    log_every: int = 10
    """Steps between two lines of figures."""
    save_every: int = 500
    """Steps between two checkpoints; the last step is always saved."""
    keep: int = 3
    """Newest checkpoints that are kept."""
    resume: bool = True
    """Go on from the newest checkpoint of the output folder, where there is one."""
    save_model: bool = False
    """At the end also write the whole transformer, in the release's layout."""

    wan: WanSource = field(default_factory=WanSource)
    """Where the model comes from."""
    fresh_control: int | None = None
    """Begin with a new control branch that has one block after every so many of Wan's, instead of the model's own; for
    models without one (`Wan-AI/Wan2.1-T2V-1.3B-Diffusers`), and for beginning anew."""
    scene: SceneConfig = field(default_factory=_all_frames)
    """How clips are reconstructed."""
    degradation: DegradationSettings = field(default_factory=published)
    """How their scenes are degraded."""

    def validate(self) -> None:
        """Check every setting.

        Raises:
            SettingsError: One is out of range; names it and the value.
        """
        for name in ("steps", "accumulate", "log_every", "save_every", "keep", "frames"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} must be 1 or more, got {getattr(self, name)}")
        if (self.frames - 1) % FRAMES_PER_LATENT:
            raise SettingsError(f"frames must be 4k + 1 (such as 49 or 81), got {self.frames}")
        if self.context is not None and not 1 <= self.context[0] <= self.context[1]:
            raise SettingsError(f"context must be two ascending numbers of frames from 1 on, got {self.context}")
        for name in ("learning_rate", "clip_norm"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise SettingsError(f"{name} must be a finite number above 0, got {value}")
        if self.fresh_control is not None and self.fresh_control < 1:
            raise SettingsError(f"fresh_control must be 1 or more, got {self.fresh_control}")
        self.wan.validate()
        self.scene.validate()
        self.degradation.validate()
