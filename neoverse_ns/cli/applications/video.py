"""Flags of the applications that end in a finished video."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from neoverse_ns.generate.config import RefinerConfig


@dataclass(kw_only=True)
class FinishFlags:
    """Who finishes the frames where the scene shows nothing."""

    refine: Annotated[RefinerConfig, tyro.conf.arg(name="", prefix_name=False)] = field(default_factory=RefinerConfig)
    """Which refiner, and how. What it learns is kept in the run's folder `generated` unless --folder names another."""

    def kept(self, run_path: Path) -> RefinerConfig:
        """The refiner's settings, with what it learns kept in the run's folder, or learned anew for saved scenes."""
        from neoverse_ns.plugin.generate import kept_in
        from neoverse_ns.plugin.run import config_of

        config = config_of(run_path)
        return kept_in(self.refine, config.absolute().parent) if config.is_file() else self.refine


@dataclass
class SceneFlags:
    """The scene that an application takes."""

    run_path: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="RUN")]]
    """A run's folder or its config.yml, or a folder with a saved reconstruction."""
