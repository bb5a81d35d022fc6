"""Settings of everything between a clip file and its 4D scene."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.lift import LiftConfig
from neoverse_ns.reconstruct.depth_anything.config import DepthAnythingConfig


@dataclass
class SceneConfig:
    """How a clip becomes a scene. Everything here but `cache_dir` decides the result, so all of it keys the cache."""

    # The clip's own settings are the ones people type most: they become plain flags (--start, --width, ...).
    clip: Annotated[ClipConfig, tyro.conf.arg(name="", prefix_name=False)] = field(default_factory=ClipConfig)
    """Which frames of the source are used, and at which size."""
    num_keyframes: int | None = None
    """Frames that carry Gaussians; by default half of the training frames."""
    held_out_every: int = 8
    """Every so many frames one is kept back to measure quality; 0 uses all of them for the scene."""
    reconstructor: Literal["auto", "bundle", "da3"] = "auto"
    """How cameras and depth are found: `bundle` needs no weights (optical flow, two-view geometry, bundle adjustment);
    `da3` asks Depth Anything 3, whose package and weights it needs;
    `auto` takes the best one that can run here."""
    bundle: BundleConfig = field(default_factory=BundleConfig)
    """The weights-free reconstructor."""
    da3: DepthAnythingConfig = field(default_factory=DepthAnythingConfig)
    """Depth Anything 3."""
    lift: LiftConfig = field(default_factory=LiftConfig)
    """From its depth and flow to Gaussians."""
    cache_dir: Path | None = None
    """Where finished reconstructions are kept; by default $NEOVERSE_CACHE_DIR, or the user's cache folder."""

    def validate(self) -> None:
        """Raise SettingsError where a value is out of range."""
        self.clip.validate()
        self.bundle.validate()
        self.da3.validate()
        self.lift.validate()
