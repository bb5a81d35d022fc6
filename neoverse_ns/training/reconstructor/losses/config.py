"""Weights of the terms; the defaults are the paper's where it gives them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from neoverse_ns.errors import SettingsError


@dataclass(frozen=True)
class LossConfig:
    """What each term of the loss counts (NeoVerse, equation 6; what it leaves open is WorldMirror's)."""

    rgb: float = 1.0
    """Squared error of drawn colours."""
    lpips: float = 0.05
    """Perceptual distance of drawn colours, where its weights are at hand; times `rgb`."""
    camera: float = 5.0
    """Cameras of the rounds of refinement."""
    camera_rounds: Literal["all", "last"] = "all"
    """Which rounds are judged. From scratch all of them begin far off, since each adds the same: what that teaches,
    alike for every picture, drowns what tells one picture from another; judging the `last` alone does not."""
    camera_smooth: float = 0.0
    """Errors of cameras below this count by their squares; 0 is VGGT's plain difference, which pulls as hard
    at what is almost right."""
    depth: float = 1.0
    """Depth: of the depth head, and the next two as shares of it."""
    gs_depth: float = 0.1
    """Depth of the Gaussians' centres, times `depth`."""
    drawn_depth: float = 0.1
    """Depth of the drawings, times `depth`."""
    points: float = 0.0
    """World points of the point head, which the paper does not train; 1 where the head is to be of use."""
    motion: float = 1.0
    """Velocities toward both neighbours."""
    regular: float = 0.1
    """Distance of the drawings' opacity from 1."""
    motion_form: Literal["robust", "plain"] = "robust"
    """`robust` weights errors by the heads' confidences and leaves out the worst; `plain` is the paper's bare norm."""
    motion_smooth: float = 0.0
    """Of the plain form: errors below this count by their squares; 0 is the paper's norm. From scratch the norm keeps
    all motion at zero for long, where most of the world is right."""
    balance_moving: bool = True
    """Let moving pixels count half of the motion term, however few they are."""
    moving_threshold: float = 0.01
    """Displacement from which a pixel moves, in units of the sample, per gap."""
    lpips_weights: Path | None = None
    """File with torchvision's VGG16; by default the one in torch's hub cache, without which the term is left out."""

    def validate(self) -> None:
        """Raise SettingsError where a value is out of range."""
        for name in ("rgb", "lpips", "camera", "depth", "gs_depth", "drawn_depth", "points", "motion", "regular"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise SettingsError(f"the weight {name} must be a finite number, 0 or more, got {value}")
        for name in ("moving_threshold", "motion_smooth", "camera_smooth"):
            if not (math.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise SettingsError(f"{name} must be a finite number, 0 or more, got {getattr(self, name)}")
