"""Settings of refinement by Wan 2.1."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from neoverse_ns.errors import SettingsError

FRAMES_PER_LATENT = 4
"""Frames that every latent but the first stands for."""
SIDE_MULTIPLE = 16
"""Sides of the frames that the autoencoder (8) and the transformer's patches (2) take."""

Offload = Literal["none", "components", "blocks"]


@dataclass
class WanSource:
    """Which weights."""

    model: str = "Yuppie1204/NeoVerse"
    """Folder or hub id that has the transformer with its control branch, in the release's layout or in diffusers'."""
    base: str | None = "Wan-AI/Wan2.1-T2V-14B-Diffusers"
    """Folder or hub id for the text encoder, tokenizer and autoencoder where `model` lacks them."""
    control: str | None = None
    """File that training wrote, whose control branch takes the place of the model's own."""
    download: bool = False
    """Whether what is not on this machine may be downloaded."""
    unit: float | None = None
    """Length of the scene's unit, its median depth, in the unit of the cameras that the control branch was trained
    with: that of NeoVerse's network, to which things are 1 away on average. By default what the reconstructor `network`
    measured; for scenes of the others, which cannot know it, 1."""

    def validate(self) -> None:
        """Check every setting.

        Raises:
            SettingsError: One is out of range; names it and the value.
        """
        if not self.model.strip():
            raise SettingsError("model is empty: give a folder or a hub id such as Yuppie1204/NeoVerse")
        if self.unit is not None and not (math.isfinite(self.unit) and self.unit > 0):
            raise SettingsError(f"unit must be a finite number above 0, got {self.unit}")


@dataclass
class WanConfig(WanSource):
    """Which weights, how they are run, and how frames are sampled. None means the default for what was found."""

    lora: str = "auto"
    """Distilled LoRA: a file; `auto` takes the one in `model`'s folder `loras`, if any; `none` takes none."""

    steps: int | None = None
    """Euler steps; by default 4 with a distilled LoRA and 50 without."""
    guidance: float | None = None
    """Weight of classifier-free guidance; by default 1 (none, half the time) with a LoRA and 5 without."""
    negative_prompt: str = ""
    """What guidance leads away from."""
    control_scale: float = 1.0
    """Factor of the control branch's hints."""
    timesteps: Literal["bfloat16", "exact"] = "bfloat16"
    """What the transformer is told of the noise there is: rounded to bfloat16, as the release does (936 of 937.5), or
    as it is. The steps themselves are exact either way."""

    device: str = "auto"
    """`cuda`, `cuda:1`, `cpu`; `auto` takes CUDA where it is."""
    dtype: Literal["auto", "bfloat16", "float32"] = "auto"
    """What weights are kept in; `auto` is bfloat16 on CUDA and float32 on the CPU."""
    offload: Literal["auto", "none", "components", "blocks"] = "auto"
    """What waits in main memory: nothing; the components whose turn it is not; or also every transformer block but the
    one that runs and the next. `auto` takes the first that fits."""
    tiled_vae: Literal["auto", "on", "off"] = "auto"
    """Encode and decode in overlapping tiles: slower, with much less memory; `auto` does where it has to."""

    window: int = 81
    """Frames refined at once, 4k + 1; longer trajectories are covered by overlapping windows, each a clip of its own to
    the model: its depth is normalised over its own frames, and its first camera is the world's."""
    overlap: int = 9
    """Frames that a window takes over from the one before; over these the two are cross-faded."""

    def validate(self) -> None:
        """Check every setting.

        Raises:
            SettingsError: One is out of range; names it and the value.
        """
        super().validate()
        for name in ("steps", "window"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise SettingsError(f"{name} must be 1 or more, got {value}")
        if (self.window - 1) % FRAMES_PER_LATENT:
            raise SettingsError(f"window must be 4k + 1 frames (such as 49 or 81), got {self.window}")
        if not 0 <= self.overlap < self.window:
            raise SettingsError(f"overlap must be 0 or more and less than window ({self.window}), got {self.overlap}")
        for name, least in (("guidance", 1.0), ("control_scale", 0.0)):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= least):
                raise SettingsError(f"{name} must be a finite number, {least:g} or more, got {value}")
