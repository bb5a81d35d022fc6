"""What one clip is put through, drawn before anything is computed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from neoverse_ns.clip.wear.config import WearConfig


@dataclass(frozen=True)
class WearDraw:
    """One draw from :class:`WearConfig`, the same for all frames of a clip; the default wears nothing.

    Attributes:
        shutter: Time that the shutter is open, in intervals between frames; 0 does not blur.
        shake: Way of the picture between frames where its motion is not known, x and y, as a share of the longer side.
        scale: Share of the pixels along each side that are kept.
        stops: Exposure in powers of two.
        drift: Amplitude of its change along the clip, in powers of two.
        rate: Of the drift, in periods a frame.
        phase: Of the drift at frame number 0, in periods.
        gamma: Exponent on what is shown.
        electrons: White in electrons; infinite is without shot noise.
        read: Standard deviation of other noise, in linear light.
        quality: Of JPEG; None does not code.
        seed: Of the noise.
    """

    shutter: float = 0.0
    shake: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    stops: float = 0.0
    drift: float = 0.0
    rate: float = 0.0
    phase: float = 0.0
    gamma: float = 1.0
    electrons: float = math.inf
    read: float = 0.0
    quality: int | None = None
    seed: int = 0

    @property
    def nothing(self) -> bool:
        """Pictures stay as they are."""
        return not (self.blurs or self.exposes or self.noisy) and self.scale >= 1 and self.quality is None

    @property
    def blurs(self) -> bool:
        return self.shutter > 0

    @property
    def exposes(self) -> bool:
        return self.stops != 0 or self.drift != 0 or self.gamma != 1

    @property
    def noisy(self) -> bool:
        return math.isfinite(self.electrons) or self.read > 0


def draw_wear(config: WearConfig, generator: torch.Generator) -> WearDraw:
    """Draw what happens to one clip; the same number of random values is taken whatever comes out.

    Args:
        config: Probabilities and ranges.
        generator: On the CPU.

    Raises:
        SettingsError: A range is none.
    """
    config.validate()
    coins = torch.rand(6, generator=generator, dtype=torch.float64).tolist()
    even = torch.rand(11, generator=generator, dtype=torch.float64).tolist()
    seed = int(torch.randint(2**62, (), generator=generator))
    if coins[0] >= config.share:
        return WearDraw()
    turn, way = 2 * math.pi * even[1], config.shake * even[2]
    blur, exposure, noise = coins[1] < config.blur, coins[3] < config.exposure, coins[4] < config.noise
    low, high = (math.log(value) for value in config.electrons)
    return WearDraw(
        shutter=_between(config.shutter, even[0]) if blur else 0.0,
        shake=(way * math.cos(turn), way * math.sin(turn)) if blur else (0.0, 0.0),
        scale=_between(config.scale, even[3]) if coins[2] < config.low_resolution else 1.0,
        stops=config.stops * (2 * even[4] - 1) if exposure else 0.0,
        drift=config.drift * even[5] if exposure else 0.0,
        rate=_between((0.01, 0.1), even[6]) if exposure else 0.0,
        phase=even[7] if exposure else 0.0,
        gamma=math.exp(_between((math.log(config.gamma[0]), math.log(config.gamma[1])), even[8])) if exposure else 1.0,
        electrons=math.exp(_between((low, high), even[9])) if noise else math.inf,
        read=_between(config.read, even[10]) if noise else 0.0,
        quality=_whole(config.quality, coins[5] / config.compression) if coins[5] < config.compression else None,
        seed=seed,
    )


def _between(bounds: tuple[float, float], share: float) -> float:
    return bounds[0] + share * (bounds[1] - bounds[0])


def _whole(bounds: tuple[int, int], share: float) -> int:
    return bounds[0] + int(share * (bounds[1] - bounds[0] + 1))
