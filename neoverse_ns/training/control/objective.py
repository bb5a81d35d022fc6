"""Flow matching: the velocity from a true sample to noise, predicted from a mixture of both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neoverse_ns.generate.conditions.depth import normalise_depth
from neoverse_ns.generate.degradation.simulate import TrainingPair
from neoverse_ns.generate.refiners.wan.branch_world import in_branch_world
from neoverse_ns.generate.refiners.wan.control import ControlInput
from neoverse_ns.generate.refiners.wan.latents import encode_conditions, encode_video
from neoverse_ns.generate.refiners.wan.padding import pad_conditions
from neoverse_ns.generate.refiners.wan.schedule import TIMESTEPS, TrainingNoise

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan


@dataclass(frozen=True)
class Example:
    """A pair as the transformer sees it.

    Attributes:
        sample: Latents of the true frames.
        control: What the degraded scene looked like.
        text: Embedding of the prompt.
        noise: Standard normal.
        level: Place in the list of noise levels.
    """

    sample: Float[Tensor, "1 c t y x"]
    control: ControlInput
    text: Float[Tensor, "1 l d"]
    noise: Float[Tensor, "1 c t y x"]
    level: int


def make_example(
    vae: AutoencoderKLWan,
    pair: TrainingPair,
    text: Float[Tensor, "1 l d"],
    levels: int,
    generator: torch.Generator,
    device: torch.device,
    unit: float = 1.0,
) -> Example:
    """Encode a pair and draw its noise. Its cameras are told in the world of the first of them.

    Args:
        vae: On `device`.
        pair: 4k + 1 frames; sides that are no multiples of 16 are padded.
        text: Embedding of its prompt.
        levels: Number of noise levels to draw from.
        generator: On the CPU.
        device: Of the result.
        unit: Length of the scene's unit in that of the control branch.
    """
    conditions = pad_conditions(in_branch_world(pair.conditions, unit, pair.conditions.c2w[0]))
    control = encode_conditions(vae, conditions, normalise_depth(conditions.depth), device)
    # The target stands in the place of the drawn colours, so it is padded as they are.
    target = pad_conditions(replace(pair.conditions, rgb=pair.target)).rgb
    sample = encode_video(vae, 2 * target.movedim(-1, 0)[None].to(device) - 1)
    noise = torch.randn(sample.shape, generator=generator).to(device)
    level = int(torch.randint(levels, (), generator=generator))
    return Example(sample, control, text.to(device), noise, level)


def flow_matching_loss(
    transformer: nn.Module, example: Example, levels: TrainingNoise, dtype: torch.dtype = torch.float32
) -> Float[Tensor, ""]:
    """Squared error of the velocity (noise - sample) at (1 - sigma) sample + sigma noise, times the level's weight.

    Args:
        transformer: A :class:`~neoverse_ns.generate.refiners.wan.transformer.ControlledWanTransformer`, or a wrapper
            of it.
        example: What it is asked.
        levels: The noise levels that `example.level` counts.
        dtype: What the transformer takes.
    """
    sigma = float(levels.sigmas[example.level])
    noisy = (1 - sigma) * example.sample + sigma * example.noise
    timestep = noisy.new_full((1,), sigma * TIMESTEPS)
    velocity = transformer(noisy.to(dtype), timestep, example.text.to(dtype), example.control)
    error = (velocity.float() - (example.noise - example.sample)).square().mean()
    return error * float(levels.weights[example.level])
