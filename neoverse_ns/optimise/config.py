"""Settings of photometric optimisation."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from neoverse_ns.errors import SettingsError
from neoverse_ns.gaussians.motion_kept import Motion
from neoverse_ns.gaussians.transition import LIFE_SPAN_GAMMA
from neoverse_ns.optimise.early_stop import EarlyStopConfig
from neoverse_ns.optimise.exposure import ExposureConfig
from neoverse_ns.optimise.losses import LossConfig
from neoverse_ns.rasterize.drawing import DrawOptions

RATES = {
    "means": 1e-4,
    "quats": 6e-4,
    "log_scales": 1.5e-3,
    "opacity_logits": 3e-3,
    "sh": 6e-3,
    "velocities": 1e-4,
    "angular_velocities": 1e-4,
    "life_span_logits": 3e-3,
    "camera_opt": 6e-5,
    "exposure": 5e-3,
}
"""Learning rate of every parameter group; lengths are in units of the clip's median depth."""

FINAL_RATE = 0.1
"""Rates at the end as a share of those at the beginning. Ending at 2 % instead costs 0.15 dB of held-out frames."""


@dataclass
class SceneOptions:
    """What decides a step and how a scene is drawn, whoever takes the steps."""

    losses: LossConfig = field(default_factory=LossConfig)
    """Weights of the loss terms."""
    exposure: ExposureConfig = field(default_factory=ExposureConfig)
    """Changes of exposure and white balance between frames."""
    early_stop: EarlyStopConfig = field(default_factory=EarlyStopConfig)
    """When optimisation ends before its last step."""
    blend_share: float = 0.9
    """Share of the steps on a keyframe, where no training frame lies between it and the next, that draw it blended with
    that neighbour, as frames between them will be; 0 never does."""
    nearest_keyframe_only: bool = False
    """Draw only the nearer keyframe's Gaussians (the paper's text) instead of both neighbours' (the release)."""
    life_span_gamma: float = LIFE_SPAN_GAMMA
    """How fast opacity fades between keyframes."""
    motion: Motion = "both"
    """Which motion Gaussians have: toward both neighbouring keyframes; `forward`, toward the next alone, so that only
    the earlier of two keyframes is drawn between them; or `none`. The latter two show what motion in both directions is
    worth; they are no use otherwise."""
    rasterize_mode: Literal["classic", "antialiased"] = "classic"
    """Whether opacity is compensated for the rasteriser's blur (`antialiased`)."""

    @property
    def draw_options(self) -> DrawOptions:
        return DrawOptions(self.nearest_keyframe_only, self.life_span_gamma, self.rasterize_mode)

    def check_options(self) -> None:
        """Raise SettingsError where a value makes no sense."""
        if not math.isfinite(self.life_span_gamma):
            raise SettingsError(f"life_span_gamma must be a finite number, got {self.life_span_gamma}")
        if not 0 <= self.blend_share <= 1:
            raise SettingsError(f"blend_share must lie in [0, 1], got {self.blend_share}")
        if self.motion == "forward" and self.nearest_keyframe_only:
            raise SettingsError(
                "motion forward draws the earlier keyframe alone: leave nearest_keyframe_only out, which would draw "
                "nothing in half of every gap"
            )
        self.losses.validate()
        self.exposure.validate()
        self.early_stop.validate()


@dataclass
class OptimiseConfig(SceneOptions):
    """How long and how fast a scene is optimised."""

    steps: int = 500
    """Most steps; each looks at one training frame."""
    speed: float = 1.0
    """Factor on all learning rates. On walking clips doubled rates are worth 0.7 to 1 dB of held-out frames after 200
    steps, 0.1 dB after 500 and none after 1000."""
    cameras: bool = True
    """Refine the estimated cameras with the Gaussians."""

    def validate(self) -> None:
        """Raise SettingsError where a value makes no sense."""
        self.check_options()
        if self.steps < 0:
            raise SettingsError(f"optimise.steps must be 0 or a positive number, got {self.steps}")
        if not (math.isfinite(self.speed) and self.speed > 0):
            raise SettingsError(f"optimise.speed must be a positive number, got {self.speed}")

    def rates(self) -> dict[str, float]:
        """First learning rate by parameter group."""
        return {name: self.speed * rate for name, rate in RATES.items()}
