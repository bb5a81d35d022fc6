"""Flags that all commands have which measure under protocols."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any


@dataclass(kw_only=True)
class MeasuringFlags:
    """What is measured on, and what is done where something is missing."""

    data: Path | None = None
    """The data set's folder: that with its scenes' folders."""
    scenes: str | None = None
    """Names of the scenes to use, separated by commas; all of the protocol by default. The id then names them."""
    seed: int | None = None
    """Of everything random; by default 0, and 42, that of ns-train, where runs are trained."""
    dry_run: bool = False
    """Only say how many frames would be used, what is missing, and how long it would take."""
    allow_missing: bool = False
    """Measure what is there where scenes are missing; every mean then says of how many it is."""
    retry_failed: bool = False
    """Do scenes again that had no answer before."""
    lpips_weights: Path | None = None
    """torchvision's AlexNet, for lpips-alex and mlpips; by default torch's cache is searched."""
    vgg_weights: Path | None = None
    """torchvision's VGG16, for lpips-vgg; likewise."""
    work_dir: Path | None = None
    """Where methods keep scenes, runs and matches; by default a folder that is deleted at the end."""

    def shared(self) -> dict[str, Any]:
        """These flags by name, for another command of the kind."""
        return {one.name: getattr(self, one.name) for one in fields(MeasuringFlags)}
