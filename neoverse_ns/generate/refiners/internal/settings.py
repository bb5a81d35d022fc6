"""Settings of the refiner that learns from the clip itself."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from neoverse_ns.clip.wear.config import WearConfig
from neoverse_ns.errors import SettingsError
from neoverse_ns.generate.degradation.settings import DegradationSettings


@dataclass
class InternalSettings:
    """How the network is made and taught. The defaults are for two processor cores and 25 frames 384 pixels wide."""

    widths: tuple[int, int, int] = (48, 64, 96)
    """Channels at a half, a quarter and an eighth of the resolution."""
    steps: int = 400
    """Training steps."""
    batch: int = 6
    """Crops per step."""
    crop: int = 112
    """Side of the crops in pixels; cut to the frames' sides, and to a multiple of 8."""
    learning_rate: float = 2e-3
    """Highest rate of AdamW, reached after the first twentieth of the steps and brought to zero along a cosine."""
    gradient_weight: float = 1.0
    """Weight of the error of neighbouring pixels' differences beside that of the pixels: for sharp edges."""
    structure_weight: float = 0.1
    """Weight of the structural dissimilarity (1 - SSIM)."""
    rounds: int = 5
    """Degraded versions of the scene that training pairs are drawn from."""
    pairs: int = 110
    """Training pairs of worn scenes, spread over the rounds and the frames; bounds memory (1.7 MB each at 384x224)."""
    plain: float = 0.4
    """Share of the crops that are of the scene as it is, drawn without the frame's own Gaussians: errors of depth are
    those that a camera aside sees. There is one such pair per frame; 0 makes none."""
    blind: float = 0.25
    """Share of the crops that are to be finished without the clip's other frames: nobody else may have seen a hole."""
    degradation: DegradationSettings = field(default_factory=lambda: DegradationSettings(drop_conditions=0.0))
    """How the scene is degraded. What drops conditions or mask is for generative models and should stay unused."""
    wear: WearConfig = field(default_factory=WearConfig)
    """How what the network is shown is worn beforehand, as by a poor camera, while it still learns the clip's own
    frames: for views of what the clip shows blurred, noisy or coarse in places. `share` says how often; by default
    never. With it, covered pixels on which the clip's frames agree may change, too."""
    save_every: float = 20.0
    """Seconds between saves of the unfinished training, where a folder is given."""

    def validate(self) -> None:
        """Raise SettingsError where a value is out of range."""
        for name, least in (("steps", 1), ("batch", 1), ("crop", 16), ("rounds", 1), ("pairs", 1)):
            if getattr(self, name) < least:
                raise SettingsError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if any(width < 1 for width in self.widths):
            raise SettingsError(f"widths must be three numbers above 0, got {self.widths}")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise SettingsError(f"learning_rate must be a finite number above 0, got {self.learning_rate}")
        for name in ("gradient_weight", "structure_weight", "save_every"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise SettingsError(f"{name} must be a finite number, 0 or more, got {value}")
        for name in ("plain", "blind"):
            value = getattr(self, name)
            if not (math.isfinite(value) and 0 <= value <= 1):
                raise SettingsError(f"{name} must lie in [0, 1], got {value}")
        self.degradation.validate()
        self.wear.validate()
