"""Between frames and the video autoencoder's latents, and what the control branch is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.generate.base import Conditions
from neoverse_ns.generate.refiners.wan.control import ControlInput

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan


@torch.no_grad()
def encode_video(vae: AutoencoderKLWan, video: Float[Tensor, "1 3 n h w"]) -> Float[Tensor, "1 c t y x"]:
    """Normalised latents (float32) of frames in [-1, 1]: the mode of the autoencoder's distribution.

    Args:
        vae: On the device of `video`.
        video: n = 4 (t - 1) + 1 frames with sides 8 y and 8 x.
    """
    latents = vae.encode(video.to(vae.dtype)).latent_dist.mode().float()  # pyright: ignore
    mean, std = _statistics(vae, latents)
    return (latents - mean) / std


@torch.no_grad()
def decode_latents(vae: AutoencoderKLWan, latents: Float[Tensor, "1 c t y x"]) -> Float[Tensor, "n h w 3"]:
    """Frames in [0, 1] of normalised latents."""
    mean, std = _statistics(vae, latents)
    video = vae.decode((latents * std + mean).to(vae.dtype), return_dict=False)[0]
    return ((video[0].float() + 1) / 2).clamp(0, 1).movedim(0, -1)


def encode_conditions(
    vae: AutoencoderKLWan, conditions: Conditions, depth: Float[Tensor, "n h w"], device: torch.device | str
) -> ControlInput:
    """What the control branch reads of frames whose number and sides fit.

    Args:
        vae: On `device`.
        conditions: 4k + 1 frames with sides that are multiples of 16.
        depth: Their depth in [-1, 1], normalised over the frames that are refined at once
            (:func:`neoverse_ns.generate.conditions.depth.normalise_depth`).
        device: Of the result.
    """
    rgb = 2 * conditions.rgb.movedim(-1, 0)[None].to(device) - 1
    grey = depth.to(device).expand(3, *depth.shape)[None]
    return ControlInput(
        rgb=encode_video(vae, rgb),
        depth=encode_video(vae, grey),
        mask=conditions.mask[None, None].to(device, torch.float32),
        plucker=conditions.plucker.movedim(1, 0)[None].to(device, torch.float32),
    )


def _statistics(vae: AutoencoderKLWan, like: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of the autoencoder's raw latents, per channel."""
    config = vae.config
    mean, std = (like.new_tensor(list(values)) for values in (config.latents_mean, config.latents_std))  # pyright: ignore
    return mean[:, None, None, None], std[:, None, None, None]
