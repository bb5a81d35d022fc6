"""The video model at its released size, with random weights: seconds, and memory beside the estimate."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from _gpu.options import Settings
from _gpu.rows import Finding
from neoverse_ns.generate.base import Conditions
from neoverse_ns.generate.conditions.depth import normalise_depth
from neoverse_ns.generate.conditions.plucker import plucker_maps
from neoverse_ns.generate.refiners.wan.architecture import WanArchitecture
from neoverse_ns.generate.refiners.wan.memory import ClipSize, ModelSize, Plan, plan_of
from neoverse_ns.weights.device_memory import free_memory

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan

    from neoverse_ns.generate.refiners.wan.transformer import ControlledWanTransformer

WORDS = 512
"""Length of the prompt's embedding."""
LENGTHS = (81, 49, 21, 5)
"""Frames of a clip, the most that fit are taken."""
TINY = WanArchitecture(24, 2, 4, 32, 16, 16, 4, (0, 2), 16)
TINY_AUTOENCODER: dict[str, Any] = {
    "base_dim": 4,
    "z_dim": 4,
    "dim_mult": [1, 1, 1, 1],
    "num_res_blocks": 1,
    "latents_mean": [0.0] * 4,
    "latents_std": [1.0] * 4,
}

_DEVIATION = 0.02
"""Of the random weights; small, so that activations stay in range through every layer."""


def measure(settings: Settings) -> Finding:
    """Encode, sample and decode a clip, with as many frames as the estimate says there is memory for.

    The text encoder, which is done before the rest is needed, is left out: its embedding is random too.

    Raises:
        RuntimeError: There is no room for the weights.
    """
    architecture, autoencoder = (TINY, TINY_AUTOENCODER) if settings.tiny else (WanArchitecture(), {})
    width, height, steps = (32, 32, 2) if settings.tiny else (560, 336, 4)
    dtype = torch.bfloat16 if settings.on_cuda else torch.float32
    device = torch.device(settings.device)
    transformer, vae = empty_model(architecture, autoencoder, device)
    size = model_size(architecture, transformer, vae, dtype)
    free = free_memory(device)
    plans = {length: plan_of(size, ClipSize(length, height, width), "none", False, False) for length in LENGTHS}
    frames = most_frames(plans, free) if not settings.tiny else LENGTHS[-1]
    fill(transformer, device, dtype)
    fill(vae, device, dtype)
    values = time_sampling(transformer, vae, blank_conditions(frames, height, width), steps, device, dtype)
    estimated = plans[frames].device_bytes / 1e9
    values |= {"billion parameters": size.transformer / dtype.itemsize / 1e9, "estimated_gb": estimated}
    text = (
        f"{values['frames']} frames of {width}x{height}, {values['billion parameters']:.1f} billion parameters: encode "
        f"{values['encode_s']:.1f} s, sample {values['sample_s']:.1f} s, decode {values['decode_s']:.1f} s"
    )
    if not settings.on_cuda:
        return Finding(text, values)
    return Finding(
        f"{text}; peak {values['peak_gb']:.1f} GB, estimated {estimated:.1f} GB", values, values["peak_gb"] <= estimated
    )


def most_frames(plans: dict[int, Plan], free: int | None) -> int:
    """The longest clip that fits.

    Args:
        plans: By number of frames, the longest first.
        free: Bytes free on the device; None if unknown.

    Raises:
        RuntimeError: None of them does.
    """
    for frames, plan in plans.items():
        if free is None or plan.device_bytes <= free:
            return frames
    least = min(plan.device_bytes for plan in plans.values())
    raise RuntimeError(f"needs {least / 1e9:.1f} GB, {(free or 0) / 1e9:.1f} GB are free")


def empty_model(
    architecture: WanArchitecture, autoencoder: dict[str, Any], device: torch.device
) -> tuple[ControlledWanTransformer, AutoencoderKLWan]:
    """Transformer and video autoencoder without memory for their weights.

    Args:
        architecture: Sizes of the transformer.
        autoencoder: Arguments of diffusers' autoencoder; none for the released one.
        device: That will compute.
    """
    from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan

    from neoverse_ns.generate.refiners.wan.components import empty_transformer

    with torch.device("meta"):
        vae = AutoencoderKLWan(**autoencoder)
    return empty_transformer(architecture, device).eval(), vae.eval()


def model_size(architecture: WanArchitecture, transformer: nn.Module, vae: nn.Module, dtype: torch.dtype) -> ModelSize:
    """What the memory of a run is estimated from; no text encoder."""
    parameters, others = (sum(value.numel() for value in part.parameters()) for part in (transformer, vae))
    blocks = architecture.layers + len(architecture.control_layers)
    return ModelSize(
        transformer=parameters * dtype.itemsize,
        block=parameters * dtype.itemsize // blocks,
        text_encoder=0,
        vae=others * dtype.itemsize,
        architecture=architecture,
        vae_width=int(vae.config["base_dim"]),  # pyright: ignore
        number_bytes=dtype.itemsize,
        pinned_transformer=0,
        pinned_text_encoder=0,
    )


def time_sampling(
    transformer: ControlledWanTransformer,
    vae: AutoencoderKLWan,
    conditions: Conditions,
    steps: int,
    device: torch.device,
    dtype: torch.dtype,
) -> dict[str, Any]:
    """Encode, sample and decode twice; the second time counts.

    Args:
        transformer: On the device.
        vae: Likewise.
        conditions: What is refined.
        steps: Sampling steps.
        device: That computes.
        dtype: Of weights and activations.
    """
    from neoverse_ns.generate.refiners.wan.latents import decode_latents, encode_conditions
    from neoverse_ns.generate.refiners.wan.sampler import sample_latents

    text = torch.randn(1, WORDS, int(transformer.config["text_dim"]), device=device, dtype=dtype)  # pyright: ignore
    depth = normalise_depth(conditions.depth)
    result: dict[str, Any] = {}
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
        result = {"encode_s": encoded - started, "sample_s": sampled - encoded, "decode_s": done - sampled}
    result |= {"frames": len(video), "steps": steps}
    if device.type == "cuda":
        result["peak_gb"] = torch.cuda.max_memory_allocated(device) / 1e9
    return result


def fill(module: nn.Module, device: torch.device, dtype: torch.dtype) -> None:
    """Give a module on the meta device random weights, in the types in which real ones would be loaded."""
    # Same seed, same figures; and never all the weights in float32 beside those in `dtype`.
    generator = torch.Generator(device).manual_seed(0)
    exact = set(getattr(module, "_keep_in_fp32_modules", None) or ())
    state = {}
    for name, value in module.state_dict().items():
        kind = torch.float32 if exact & set(name.split(".")) else dtype
        state[name] = torch.empty(value.shape, device=device, dtype=kind).normal_(0, _DEVIATION, generator=generator)
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
