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
        """The refiner's settings; see :func:`kept_with`."""
        return kept_with(self.refine, run_path)


def kept_with(config: RefinerConfig, run_path: Path) -> RefinerConfig:
    """A refiner's settings, with what it learns kept in the run's folder, or learned anew for saved scenes."""
    from neoverse_ns.plugin.run import config_of

    run = config_of(run_path)
    return config.kept_in(run.absolute().parent) if run.is_file() else config


@dataclass
class SceneFlags:
    """The scene that an application takes."""

    run_path: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="RUN")]]
    """A run's folder or its config.yml, or a folder with a saved reconstruction."""
