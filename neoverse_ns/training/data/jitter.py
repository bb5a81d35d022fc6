"""Colour jitter that is one and the same for all frames of a sample, so that it changes the world and not its light."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float32
from torch import Tensor

from neoverse_ns.errors import SettingsError

_GREY = (0.299, 0.587, 0.114)
"""Luma of BT.601, by which contrast, saturation and grey are meant in colour jitter since AlexNet."""


@dataclass
class JitterConfig:
    """How colours are varied."""

    probability: float = 0.9
    """That a sample's colours are varied at all."""
    brightness: float = 0.5
    """Factor on colours, uniform in 1 +- this."""
    contrast: float = 0.5
    """Factor on differences from the sample's mean grey, uniform in 1 +- this."""
    saturation: float = 0.5
    """Factor on differences from a pixel's own grey, uniform in 1 +- this."""
    hue: float = 0.1
    """Shift of hue, uniform in +- this share of the circle."""
    grey: float = 0.05
    """Probability that a sample is grey."""

    def validate(self) -> None:
        """
        Raises:
            SettingsError: A value is out of range.
        """
        for name in ("probability", "brightness", "contrast", "saturation", "grey"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingsError(f"jitter.{name} must lie in 0..1, got {getattr(self, name)}")
        if not 0 <= self.hue <= 0.5:
            raise SettingsError(f"jitter.hue must lie in 0..0.5, got {self.hue}")


@dataclass(frozen=True)
class JitterDraw:
    """One variation.

    Attributes:
        order: In which brightness (0), contrast (1), saturation (2) and hue (3) are changed.
        brightness: Factor.
        contrast: Factor.
        saturation: Factor.
        hue: Share of the circle.
        grey: Colours are left out at the end.
    """

    order: tuple[int, ...] = (0, 1, 2, 3)
    brightness: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0
    hue: float = 0.0
    grey: bool = False


def draw_jitter(config: JitterConfig, generator: torch.Generator) -> JitterDraw:
    """Draw one; takes as much of the generator whatever the settings."""
    order = tuple(torch.randperm(4, generator=generator).tolist())
    coin, grey, *shares = torch.rand(6, generator=generator, dtype=torch.float64).tolist()
    brightness, contrast, saturation, hue = (2 * share - 1 for share in shares)
    if coin >= config.probability:
        return JitterDraw(grey=grey < config.grey)
    return JitterDraw(
        order,
        1 + config.brightness * brightness,
        1 + config.contrast * contrast,
        1 + config.saturation * saturation,
        config.hue * hue,
        grey < config.grey,
    )


def jittered(rgb: Float32[Tensor, "s 3 h w"], draw: JitterDraw) -> Float32[Tensor, "s 3 h w"]:
    """Frames in [0, 1] with their colours varied, all alike; each step is clamped to [0, 1]."""
    for step in draw.order:
        if step == 0 and draw.brightness != 1:
            rgb = (rgb * draw.brightness).clamp(0, 1)
        elif step == 1 and draw.contrast != 1:
            # The mean of all frames: that of each would change with what it happens to show.
            rgb = torch.lerp(_luma(rgb).mean(), rgb, draw.contrast).clamp(0, 1)
        elif step == 2 and draw.saturation != 1:
            rgb = torch.lerp(_luma(rgb), rgb, draw.saturation).clamp(0, 1)
        elif step == 3 and draw.hue != 0:
            rgb = hue_shifted(rgb, draw.hue)
    return _luma(rgb).expand(-1, 3, -1, -1).contiguous() if draw.grey else rgb


def hue_shifted(rgb: Float32[Tensor, "s 3 h w"], share: float) -> Float32[Tensor, "s 3 h w"]:
    """Turn hue by a share of the circle at constant saturation and value of HSV (Smith 1978)."""
    value = rgb.amax(1)
    chroma = value - rgb.amin(1)
    red, green, blue = rgb.unbind(1)
    divisor = torch.where(chroma > 0, chroma, 1)
    sixth = torch.where(value == red, (green - blue) / divisor, 4 + (red - green) / divisor)
    sixth = torch.where((value == green) & (value != red), 2 + (blue - red) / divisor, sixth)
    # Each channel is a trapezoid over the circle: full for a third of it, and off for a third.
    place = (sixth[:, None] + 6 * share + sixth.new_tensor([5.0, 3.0, 1.0])[:, None, None]) % 6
    return (value[:, None] - chroma[:, None] * torch.minimum(place, 4 - place).clamp(0, 1)).clamp(0, 1)


def _luma(rgb: Tensor) -> Tensor:
    return (rgb * rgb.new_tensor(_GREY)[:, None, None]).sum(1, keepdim=True)
