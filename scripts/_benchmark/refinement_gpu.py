"""Seconds and memory of the video model at its released size, with random weights: what a GPU has to be."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from neoverse_ns.generate.base import Conditions
from neoverse_ns.generate.conditions.depth import normalise_depth
from neoverse_ns.generate.conditions.plucker import plucker_maps
from neoverse_ns.generate.registry import REFINERS

if TYPE_CHECKING:
    from neoverse_ns.generate.refiners.wan.architecture import WanArchitecture

WORDS = 512
"""Length of the prompt's embedding."""

_DEVIATION = 0.02
"""Of the random weights; small, so that activations stay in range through every layer."""


def measure_video_model(frames: int = 81, width: int = 560, height: int = 336, steps: int = 4) -> dict[str, Any]:
    """One clip through Wan 2.1 14B with the control branch; where it cannot run, the reason instead of figures.

    Args:
        frames: Of the clip, 4k + 1.
        width: Of the frames, a multiple of 16 pixels.
        height: Of the frames, a multiple of 16 pixels.
        steps: Sampling steps, without guidance.
    """
    if not torch.cuda.is_available():
        return {"not measured": "no GPU here"}
    if "wan" not in REFINERS:
        return {"not measured": "there is no refiner 'wan'"}
    from neoverse_ns.generate.refiners.wan.architecture import WanArchitecture

    device = torch.device("cuda")
    try:
        return time_sampling(WanArchitecture(), {}, blank_conditions(frames, height, width), steps, device)
    except torch.OutOfMemoryError as error:
        return {"not measured": f"out of memory: {str(error).splitlines()[0]}"}


def time_sampling(
    architecture: WanArchitecture,
    autoencoder: dict[str, Any],
    conditions: Conditions,
    steps: int,
    device: torch.device,
    dtype: torch.dtype = torch.bfloat16,
) -> dict[str, Any]:
    """Encode, sample and decode twice with random weights; the second time counts.

    The text encoder, which is done before the rest is needed, is left out: its embedding is random too.

    Args:
        architecture: Sizes of the transformer.
        autoencoder: Arguments of diffusers' autoencoder; none for the released one.
        conditions: What is refined.
        steps: Sampling steps.
        device: That computes.
        dtype: Of weights and activations.
    """
    from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan

    from neoverse_ns.generate.refiners.wan.components import empty_transformer
    from neoverse_ns.generate.refiners.wan.latents import decode_latents, encode_conditions
    from neoverse_ns.generate.refiners.wan.sampler import sample_latents

    transformer = empty_transformer(architecture, device).eval()
    fill(transformer, device, dtype)
    with torch.device("meta"):
        vae = AutoencoderKLWan(**autoencoder).eval()
    fill(vae, device, dtype)
    text = torch.randn(1, WORDS, architecture.text_dim, device=device, dtype=dtype)
    depth = normalise_depth(conditions.depth)
    seconds: dict[str, float] = {}
    for _ in range(2):
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        started = _now(device)
        control = encode_conditions(vae, conditions, depth, device)
        encoded = _now(device)
        noise = torch.randn(control.rgb.shape, device=device)
        latents = sample_latents(transformer, noise, text, None, control, steps)
        sampled = _now(device)
        video = decode_latents(vae, latents)
        done = _now(device)
        seconds = {"encode_s": encoded - started, "sample_s": sampled - encoded, "decode_s": done - sampled}
    result: dict[str, Any] = {name: round(value, 2) for name, value in seconds.items()}
    parameters = sum(parameter.numel() for parameter in transformer.parameters())
    result |= {"frames": len(video), "steps": steps, "billion parameters": round(parameters / 1e9, 2)}
    if device.type == "cuda":
        result["peak GB"] = round(torch.cuda.max_memory_allocated(device) / 1e9, 1)
    return result


def fill(module: nn.Module, device: torch.device, dtype: torch.dtype) -> None:
    """Give a module on the meta device random weights."""
    # Same seed, same figures; and never all the weights in float32 beside those in `dtype`.
    generator = torch.Generator(device).manual_seed(0)
    state = {
        name: torch.empty(value.shape, device=device, dtype=dtype).normal_(0, _DEVIATION, generator=generator)
        for name, value in module.state_dict().items()
    }
    module.load_state_dict(state, assign=True)
    module.requires_grad_(False)


def blank_conditions(frames: int, height: int, width: int) -> Conditions:
    """Grey frames of a camera that moves sideways; the cost does not depend on what they show."""
    c2w = torch.eye(4).repeat(frames, 1, 1)
    c2w[:, 0, 3] = torch.linspace(0, 0.1, frames)
    K = torch.tensor([[width, 0, width / 2], [0, width, height / 2], [0, 0, 1]]).repeat(frames, 1, 1)
    alpha = torch.ones(frames, height, width)
    plucker = plucker_maps(c2w, K, height, width)
    rgb = torch.full((frames, height, width, 3), 0.5)
    return Conditions(rgb, alpha, alpha, alpha > 0.5, plucker, K, c2w, torch.linspace(0, 1, frames))


def _now(device: torch.device) -> float:
    """Seconds, with all that was started on the device done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
