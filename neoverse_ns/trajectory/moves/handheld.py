"""A camera held in the hand: seeded noise in a band of frequencies."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.trajectory.moves.choice import distance_unit
from neoverse_ns.trajectory.moves.stage import Stage

SLOWEST, FASTEST = 0.3, 3.0
"""Hertz between which hands sway; faster shake is what lenses are stabilised against."""
WAVES = 24
"""Sine waves in the band, per axis."""
SWAY = (0.006, 0.006, 0.003)
"""Root mean square to the right, down and forward, in units of the median depth, at strength 1."""
TURN = (0.35, 0.35, 0.2)
"""Root mean square about these axes, degrees, at strength 1."""


@dataclass(frozen=True)
class Handheld:
    """The camera sways and turns a little, as in a hand; the same seed gives the same motion at any frame rate."""

    strength: float = 1.0
    """Factor on both; 1 is a calm hand: 0.35 degrees and 0.6 % of the median depth on average."""
    speed: float = 1.0
    """Factor on the frequencies, 0.3 to 3 hertz."""
    seed: int = 0
    """Which motion."""
    start: int | None = None
    """Sampled frame at whose camera one stands; clip sways about the clip's own path."""

    def validate(self) -> None:
        """Raise SettingsError where a value is out of range."""
        if self.strength < 0:
            raise SettingsError(f"strength must be 0 or more, got {self.strength:g}")
        if not self.speed > 0:
            raise SettingsError(f"speed must be above 0, got {self.speed:g}")

    def apply(self, stage: Stage) -> Stage:
        """Move and turn every camera in its own axes."""
        stage = stage.standing(self.start)
        noise = band_noise(stage.seconds * self.speed, self.seed)
        distance = distance_unit(stage, self.start or 0)
        sizes = [distance * sway for sway in SWAY] + [math.radians(turn) for turn in TURN]
        twists = self.strength * noise * noise.new_tensor(sizes)
        return stage.with_cameras(stage.base.c2w.to(torch.float64) @ se3_exp(twists))


def band_noise(seconds: Float64[Tensor, " n"], seed: int, axes: int = 6) -> Float64[Tensor, "n {axes}"]:
    """Noise with amplitudes falling as 1 / frequency between :data:`SLOWEST` and :data:`FASTEST` and none outside.

    A function of time alone: other times of the same seed read the same motion. Its root mean square over all time is 1
    on every axis.
    """
    generator = torch.Generator().manual_seed(seed)
    # One random frequency in each of many equal steps of the logarithm: no two motions repeat together.
    steps = torch.arange(WAVES) + torch.rand(axes, WAVES, generator=generator, dtype=torch.float64)
    frequencies = SLOWEST * (FASTEST / SLOWEST) ** (steps / WAVES)
    phases = 2 * math.pi * torch.rand(axes, WAVES, generator=generator, dtype=torch.float64)
    amplitudes = 1 / frequencies
    amplitudes = amplitudes / (0.5 * amplitudes.square().sum(dim=1, keepdim=True)).sqrt()
    waves = torch.sin(2 * math.pi * frequencies * seconds[:, None, None] + phases)
    return (amplitudes * waves).sum(dim=-1)
