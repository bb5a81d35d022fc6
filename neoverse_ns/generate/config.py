"""Settings of the generation stage."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

from neoverse_ns.generate.base import DEFAULT_PROMPT
from neoverse_ns.generate.refiners.internal.settings import InternalSettings
from neoverse_ns.generate.refiners.wan.config import WanConfig

GENERATED = "generated"
"""Folder of a run in which a refiner keeps what it learned for videos."""


@dataclass
class RefinerConfig:
    """How drawings become finished frames."""

    refiner: str = "none"
    """Which refiner runs: `internal` learns from the clip itself and needs no weights, `telea` only closes holes,
    `wan` is the released video model and needs its weights and a GPU, and `none` leaves frames as the Gaussians show
    them."""
    prompt: str = DEFAULT_PROMPT
    """What the video shows, in words; refiners without language ignore it."""
    seed: int = 0
    """Of everything random."""
    internal: InternalSettings = field(default_factory=InternalSettings)
    """The refiner that learns from the clip itself."""
    wan: WanConfig = field(default_factory=WanConfig)
    """Of the refiner `wan`."""
    folder: Path | None = None
    """Where what a refiner has learned is kept, such as a run's folder; by default it is learned anew every time."""

    def kept_in(self, run_folder: Path) -> RefinerConfig:
        """The same settings, with what is learned kept in the run's folder unless another one was named."""
        return self if self.folder is not None else dataclasses.replace(self, folder=run_folder / GENERATED)
