"""Settings of everything between a clip file and its 4D scene."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.flags import flag
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.lifting.keyframe_lift import LiftConfig
from neoverse_ns.reconstruct.depth_anything.config import DepthAnythingConfig
from neoverse_ns.reconstruct.feedforward.config import NetworkConfig
from neoverse_ns.reconstruct.priors.config import PriorsConfig
from neoverse_ns.reconstruct.tracking_guard import Tracking
from neoverse_ns.sizes import parse_bytes


@dataclass
class SceneConfig:
    """How a clip becomes a scene. Everything here but the cache's own settings decides the result, so all of
    it keys the cache."""

    # The clip's own settings are the ones people type most: they become plain flags (--start, --width, ...).
    clip: Annotated[ClipConfig, flag(name="", prefix_name=False)] = field(default_factory=ClipConfig)
    """Which frames of the source are used, and at which size."""
    num_keyframes: int | None = None
    """Frames of which every pixel becomes a Gaussian; by default every second training frame, with the network 11. What
    moves has Gaussians in all training frames, but for the network, whatever this says."""
    held_out_every: int = 8
    """Every so many frames one is kept back to measure quality; 0 uses all of them for the scene."""
    tracking: Tracking = "m1"
    """Which frames of the source between the sampled ones are used to follow what moves; never their colours. `m1`
    leaves out those nearer to a held-out frame than one sampling step, so that held-out frames still judge motion;
    `m0` leaves out the held-out frames alone, which gives better numbers and says less; `none` uses training frames
    only. Without held-out frames `m1` uses them all, as `m0` does."""
    reconstructor: Literal["auto", "bundle", "network", "da3"] = "auto"
    """How cameras and depth are found: `bundle` needs no weights (optical flow, two-view geometry, bundle adjustment);
    `network` is NeoVerse's own feed-forward network, whose weights it needs and for which a CUDA device is advised;
    `da3` asks Depth Anything 3, whose package and weights it needs; `auto` takes the network where its weights and a
    CUDA device are there, else the bundle."""
    bundle: BundleConfig = field(default_factory=BundleConfig)
    """The weights-free reconstructor."""
    da3: DepthAnythingConfig = field(default_factory=DepthAnythingConfig)
    """Depth Anything 3."""
    lift: LiftConfig = field(default_factory=LiftConfig)
    """From its depth and flow to Gaussians."""
    network: NetworkConfig = field(default_factory=NetworkConfig)
    """NeoVerse's own network."""
    priors: PriorsConfig = field(default_factory=PriorsConfig)
    """What is known beforehand: poses, intrinsics, depth."""
    cache_dir: Path | None = None
    """Where finished reconstructions are kept; by default $NEOVERSE_CACHE_DIR, or the user's cache folder."""
    cache_limit: str | None = None
    """Most they may take there, such as 20GB, or none; those used longest ago go first. By default
    $NEOVERSE_CACHE_LIMIT, or a tenth of the disk, between 5 and 50 GB."""

    def validate(self) -> None:
        """Raise SettingsError where a value is out of range."""
        self.clip.validate()
        self.bundle.validate()
        self.da3.validate()
        self.lift.validate()
        self.network.validate()
        self.priors.validate()
        if self.cache_limit is not None:
            parse_bytes(self.cache_limit, "--cache-limit")
