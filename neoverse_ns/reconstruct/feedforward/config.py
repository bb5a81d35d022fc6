"""Settings of the reconstruction by NeoVerse's own network."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from neoverse_ns.errors import SettingsError


@dataclass
class NetworkConfig:
    """How the feed-forward network is run, and what becomes of its predictions."""

    weights: str = "Yuppie1204/NeoVerse"
    """A checkpoint file, a folder that holds one, or a repository of the Hugging Face hub, with `@revision` to pin it.

    The published weights have terms of their own, which this package's licence does not change."""
    sha256: str | None = None
    """Hex SHA-256 that the checkpoint file must have."""
    download: bool = False
    """Whether weights that are not on this machine may be downloaded (the published ones take 6 GB)."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the network runs; `auto` takes CUDA where there is a device."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Precision of the network; `auto` takes bfloat16 on CUDA."""
    mode: Literal["paper", "release"] = "paper"
    """`paper` lifts some keyframes and moves their Gaussians between them; `release` lifts every training frame,
    without motion, as the published program does by default."""
    num_keyframes: int = 11
    """Frames that carry Gaussians in mode `paper`, where `--num-keyframes` does not say."""
    is_static: bool = False
    """Nothing in the clip moves: all Gaussians are constant, and those of one place are merged."""
    draw: Literal["both", "nearest"] = "both"
    """Between two keyframes draw the Gaussians of both (as released) or of the nearer one (the paper's text)."""
    dynamic_threshold: float = 0.0
    """Gaussians slower than this, in the network's unit per keyframe, are constant; 0 lets all of them move."""
    global_motion_tracking: bool = False
    """Let a slow Gaussian be constant only if nothing moves at its place in any keyframe that shows it; needs
    `dynamic_threshold`."""
    tracking_threshold: float = 0.01
    """Speed that counts as moving there."""
    voxel_size: float = 0.002
    """Side of the cells in which Gaussians of a static clip are merged, in the network's unit."""
    motion_pixels: float = 2.0
    """Pixels of the clip that a surface must travel until the next keyframe to count as moving in masks and metrics."""
    longest_side: int = 560
    """Longer side, in pixels, of what the network sees: 560 is what it was trained on. Never more than the clip's."""
    window: int = 81
    """Most frames that pass through the network at once; memory grows with it. Longer clips are done in windows."""
    overlap: int = 8
    """Keyframes that neighbouring windows share, by which they are joined."""
    anchor_cameras: bool = True
    """Cameras between keyframes follow the keyframes', from which the Gaussians were lifted; otherwise only their
    scale is matched, as published."""
    low_vram: bool = False
    """Keep the network in main memory and bring its parts to the device one at a time: slower, far less memory."""
    head_chunk: int = 8
    """Frames whose dense predictions are made at once; memory grows with it."""

    def validate(self) -> None:
        """Raise SettingsError where a value is out of range."""
        if not self.weights.strip():
            raise SettingsError("network.weights must name a file, a folder or a hub repository")
        if self.sha256 is not None and (len(self.sha256) != 64 or set(self.sha256.lower()) - set("0123456789abcdef")):
            raise SettingsError(f"network.sha256 must have 64 hexadecimal digits, got '{self.sha256}'")
        for name in ("dynamic_threshold", "tracking_threshold", "voxel_size", "motion_pixels"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise SettingsError(f"network.{name} must be a finite number, 0 or more, got {value}")
        if self.voxel_size == 0:
            raise SettingsError("network.voxel_size must be above 0")
        least = {"num_keyframes": 1, "longest_side": 28, "window": 4, "overlap": 2, "head_chunk": 1}
        for name, bound in least.items():
            if getattr(self, name) < bound:
                raise SettingsError(f"network.{name} must be at least {bound}, got {getattr(self, name)}")
        if self.global_motion_tracking and self.dynamic_threshold == 0:
            raise SettingsError(
                "network.global_motion_tracking decides which slow Gaussians are constant, and without "
                "--network.dynamic-threshold none is slow: give a threshold (such as 0.01), or leave tracking out"
            )
        if self.overlap > self.window // 2:
            raise SettingsError(
                f"network.overlap must be at most half of network.window ({self.window}), got {self.overlap}"
            )
