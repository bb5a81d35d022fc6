"""The network: a small U-Net that chooses between what was drawn and what the clip's frames show, and corrects it."""

from __future__ import annotations

from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from neoverse_ns.generate.refiners.internal.network_inputs import ALLOWED, CHANNELS, NetworkInputs
from neoverse_ns.generate.refiners.internal.reference_lookup import SLOTS

SIDE_MULTIPLE = 8
"""Sides of images are padded to multiples of this."""

_CHOICES = 1 + SLOTS


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around which the input is carried along."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)  # pyright: ignore[reportArgumentType]

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return x + self.second(functional.silu(self.first(functional.silu(x))))


class RefinementNetwork(nn.Module):
    """What is known of a view in, colours out.

    Pixels are first folded two by two into channels, so that no convolution runs at full resolution; U-Net
    (Ronneberger et al., 2015) with residual blocks below. The outputs are, per pixel, weights between the drawing and
    the looked-up images, and a correction. Untrained, it returns the drawing mixed with what is trusted.

    Args:
        widths: Channels at 1/2, 1/4 and 1/8 of the resolution.
        least: Change of a colour that is always allowed.
    """

    def __init__(self, widths: tuple[int, int, int] = (48, 64, 96), least: float = ALLOWED) -> None:
        super().__init__()
        self.least = least
        fine, middle, coarse = widths
        self.fold = nn.PixelUnshuffle(2)
        self.stem = nn.Conv2d(4 * CHANNELS, fine, 3, padding=1)
        self.fine_in = ResidualBlock(fine)
        self.to_middle = nn.Conv2d(fine, middle, 2, stride=2)
        self.middle_in = ResidualBlock(middle)
        self.to_coarse = nn.Conv2d(middle, coarse, 2, stride=2)
        self.coarse = nn.Sequential(ResidualBlock(coarse), ResidualBlock(coarse))
        self.from_coarse = nn.Conv2d(coarse, middle, 1)
        self.middle_out = ResidualBlock(middle)
        self.from_middle = nn.Conv2d(middle, fine, 1)
        self.fine_out = ResidualBlock(fine)
        self.head = nn.Conv2d(fine, 4 * (_CHOICES + 3), 3, padding=1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # pyright: ignore[reportArgumentType]
        self.unfold = nn.PixelShuffle(2)

    def forward(self, inputs: NetworkInputs) -> Float[Tensor, "b 3 h w"]:
        """Finished colours, within what :meth:`NetworkInputs.allowed_change` lets change; not clamped to [0, 1]."""
        height, width = inputs.base.shape[-2:]
        rim = (0, -width % SIDE_MULTIPLE, 0, -height % SIDE_MULTIPLE)
        x = functional.pad(inputs.channels(), rim, mode="replicate") if any(rim) else inputs.channels()
        with torch.autocast(x.device.type, dtype=torch.bfloat16, enabled=has_bfloat16(x.device)):
            out = self._unet(x.contiguous(memory_format=torch.channels_last))
        out = out.to(x.dtype)[..., :height, :width]
        choice, correction = out[:, :_CHOICES], out[:, _CHOICES:]
        # Without training the drawing counts as much as a look-up that is fully trusted.
        prior = torch.cat([torch.ones_like(inputs.alpha), inputs.trust], dim=1).clamp_min(1e-2).log()
        weights = functional.softmax(choice + prior, dim=1)
        proposal = (weights[:, :, None] * inputs.candidates()).sum(1) + correction
        allowed = inputs.allowed_change(self.least)
        return inputs.base + allowed * torch.tanh((proposal - inputs.base) / allowed)

    def _unet(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h w"]:
        fine = self.fine_in(self.stem(self.fold(x)))
        middle = self.middle_in(self.to_middle(fine))
        coarse = self.coarse(self.to_coarse(middle))
        middle = self.middle_out(middle + _twice(self.from_coarse(coarse)))
        fine = self.fine_out(fine + _twice(self.from_middle(middle)))
        return self.unfold(self.head(functional.silu(fine)))


@cache
def has_bfloat16(device: torch.device) -> bool:
    """Whether the device calculates with bfloat16 as it is: two to three times as fast, where it does."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    # The only test there is has no public name; without it float32 does.
    native = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return device.type == "cpu" and native is not None and bool(native())


def _twice(x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h2 w2"]:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")
