"""Exposure and noise of a sensor."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.clip.wear.draw import WearDraw


def exposed(light: Float[Tensor, "k 3 h w"], times: Float[Tensor, " k"], draw: WearDraw) -> Float[Tensor, "k 3 h w"]:
    """Light as a wrong and drifting exposure gathers it.

    Args:
        light: Linear light.
        times: Of the frames, in frames.
        draw: Its `stops`, `drift`, `rate` and `phase`.
    """
    stops = draw.stops + draw.drift * torch.sin(2 * math.pi * (draw.rate * times.double() + draw.phase))
    return light * (2**stops).to(light.dtype)[:, None, None, None]


def noisy(light: Float[Tensor, "k 3 h w"], electrons: float, read: float, seed: int) -> Float[Tensor, "k 3 h w"]:
    """Shot and read noise: variance light / electrons + read^2.

    The sum of both is taken as normal, as is usual from a few electrons on (Foi and others, Practical
    Poissonian-Gaussian noise modeling and fitting for single-image raw-data, 2008).

    Args:
        light: Linear light, white 1.
        electrons: Of white; infinite for no shot noise.
        read: Standard deviation in the dark.
        seed: Decides the noise.
    """
    generator = torch.Generator().manual_seed(seed)
    sigma = (light.clamp_min(0) / electrons + read**2).sqrt()
    return light + sigma * torch.randn(light.shape, generator=generator, dtype=light.dtype)
