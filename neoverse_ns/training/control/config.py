"""Settings of training the control branch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from neoverse_ns.clip.config import SIDE_MULTIPLE, ClipConfig
from neoverse_ns.clip.wear.config import WearConfig
from neoverse_ns.errors import SettingsError
from neoverse_ns.flags import flag
from neoverse_ns.generate.base import DEFAULT_PROMPT
from neoverse_ns.generate.degradation.settings import DegradationSettings, published
from neoverse_ns.generate.refiners.wan.config import FRAMES_PER_LATENT, WanSource
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.training.data.tally import TallyConfig

RELEASED_SIZE = (560, 336)
"""Width and height of the released program's training clips."""
TextOn = Literal["device", "cpu", "drop"]
"""Where captions are encoded."""


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
    """Frames of a pair at most, 4k + 1; a random stretch of each clip's `num_frames`."""
    context: tuple[int, int] | None = (11, 21)
    """Fewest and most frames whose pixels become Gaussians, spread evenly over the clip; their number is drawn anew at
    every visit. None leaves it to `scene`; so does a `scene.num_keyframes`."""
    size: tuple[int, int] = RELEASED_SIZE
    """Width and height that the clips of a manifest are scaled and cut to; a folder's follow `--width` and their own
    aspect."""
    pairs_per_scene: int = 1
    """Pairs drawn from a clip's scene before the next clip's: more than one for small runs whose scenes take longer to
    make than a step."""
    short_clips: Literal["auto", "shorten", "reject"] = "auto"
    """What becomes of clips with too few frames: `shorten` takes all they have, `reject` leaves them out, as the
    release does, which also wants 0.2 seconds from one frame to the next; `auto` shortens in a folder, and rejects in
    a manifest."""
    workers: int = 2
    """Processes that decode clips ahead, for each process that trains; 0 decodes in that one, when a clip is needed."""
    bad_clips: TallyConfig = field(default_factory=TallyConfig)
    """When clips that cannot be used, which are listed and replaced, are too many."""
    prompt: str = DEFAULT_PROMPT
    """Of clips without a caption: a text file of their name (`street.mp4`, `street.txt`), or a manifest's."""
    text_on: TextOn = "device"
    """Where captions are encoded as they come: on the `device` that trains, where the encoder takes 11 GB, or on the
    `cpu`; `drop` encodes all of them beforehand and then does without the encoder, for up to 4,096 captions."""
    seed: int = 0
    """Of everything random: what a step learns from is a function of it, the step and the process, so that a run that
    goes on does so as if it had not stopped."""

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
    fsdp: bool = False
    """Share weights, gradients and optimiser states between processes by torch's FSDP2."""

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
    # As in every other command: --network.weights, --reconstructor.
    scene: Annotated[SceneConfig, flag(name="", prefix_name=False)] = field(default_factory=_all_frames)
    """How clips are reconstructed: by NeoVerse's network, which stays loaded and is asked twice of each clip, or
    (`--reconstructor bundle`, for small runs) without weights."""
    degradation: DegradationSettings = field(default_factory=published)
    """How their scenes are degraded."""
    wear: WearConfig = field(default_factory=WearConfig)
    """How the frames that scenes are made of are worn before, as by a poor camera, while the branch still learns the
    clean ones; `--wear.share` says how often, by default never."""

    def validate(self) -> None:
        """Check every setting.

        Raises:
            SettingsError: One is out of range; names it and the value.
        """
        for name in ("steps", "accumulate", "log_every", "save_every", "keep", "frames", "pairs_per_scene"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} must be 1 or more, got {getattr(self, name)}")
        if min(self.size) < SIDE_MULTIPLE:
            raise SettingsError(f"size must be {SIDE_MULTIPLE} pixels or more a side, got {self.size}")
        if self.workers < 0:
            raise SettingsError(f"workers must be 0 or more, got {self.workers}")
        if self.fsdp and self.deepspeed:
            raise SettingsError("--fsdp and --deepspeed share the same things in two ways: choose one of them")
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
        self.wear.validate()
