"""A small network on a clip from end to end, on the device and on the CPU: cameras, depth and Gaussians must agree."""

from __future__ import annotations

from functools import cache
from typing import Literal

import torch
from _benchmark.network_speed import SMALL

from _gpu.options import Settings
from _gpu.rows import Finding
from neoverse_ns.clip.synthetic import render_synthetic
from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.networks.neoverse.low_vram import run_in_stages
from neoverse_ns.networks.neoverse.model import NeoVerseNetwork
from neoverse_ns.reconstruct.base import Reconstruction
from neoverse_ns.reconstruct.feedforward.config import NetworkConfig
from neoverse_ns.reconstruct.feedforward.reconstructor import NetworkReconstructor
from neoverse_ns.reconstruct.split import split_frames

TINY = NetworkArchitecture(
    patch_embed="conv",
    embed_dim=32,
    depth=4,
    heads=4,
    taps=(0, 1, 2, 3),
    gs_dim=16,
    features=16,
    out_channels=(8, 8, 8, 8),
)

Kind = Literal["float32", "by stages", "bfloat16"]
TOLERANCE: dict[Kind, float] = {"float32": 1e-3, "by stages": 1e-3, "bfloat16": 0.1}
"""Difference allowed of anything, relative to its size (L2 norm)."""


def measure(settings: Settings, kind: Kind) -> Finding:
    """The largest of the relative differences of cameras, depth and the Gaussians' fields.

    Args:
        settings: Where.
        kind: Precision on the device; `by stages` is float32 with one part of the network there at a time.
    """
    # Otherwise convolutions round to ten bits, as they do in use; here rounding must not hide what is wrong.
    torch.backends.cudnn.allow_tf32 = False
    expected, found = values_of(_on_the_cpu(settings.tiny)), values_of(_on_the_device(settings, kind))
    apart = {name: _difference(found[name], value) for name, value in expected.items()}
    worst = max(apart, key=apart.__getitem__)
    count = len(expected["means"])
    return Finding(
        f"{count:,} Gaussians and the cameras: beside the CPU at most {apart[worst]:.1e} ({worst})",
        {"apart": apart, "gaussians": count},
        apart[worst] <= TOLERANCE[kind],
    )


def values_of(result: Reconstruction) -> dict[str, torch.Tensor]:
    """What a reconstruction holds, by name."""
    geometry, frames = result.geometry, result.gaussians.frames
    floating = {name: value for name, value in frames.tensors().items() if value.is_floating_point()}
    return {"c2w": geometry.cameras.c2w, "K": geometry.cameras.K, "depth": geometry.depth} | floating


@cache
def _on_the_cpu(tiny: bool) -> Reconstruction:
    return reconstruct(small_network(tiny), "cpu", "float32", tiny)


def _on_the_device(settings: Settings, kind: Kind) -> Reconstruction:
    network = small_network(settings.tiny)
    if kind == "by stages":
        run_in_stages(network, settings.device)
    else:
        network.to(settings.device)
    return reconstruct(network, settings.device, "bfloat16" if kind == "bfloat16" else "float32", settings.tiny)


def reconstruct(network: NeoVerseNetwork, device: str, dtype: str, tiny: bool) -> Reconstruction:
    """The synthetic clip by a given network."""
    frames, width, height = (5, 56, 28) if tiny else (9, 196, 112)
    clip = render_synthetic(frames, width, height).as_clip()
    config = NetworkConfig(device=device, dtype=dtype, num_keyframes=3 if tiny else 4)  # type: ignore[arg-type]
    split = split_frames(len(clip), config.num_keyframes, held_out_every=4)
    return NetworkReconstructor(config, network=network).reconstruct(clip, split)


@torch.no_grad()
def small_network(tiny: bool) -> NeoVerseNetwork:
    """Random, the same at every call; what it predicts looks like a scene: cameras ahead, 40 by 60 degrees wide."""
    torch.manual_seed(0)
    network = NeoVerseNetwork(TINY if tiny else SMALL).eval().requires_grad_(False)
    state = network.state_dict()
    for name, value in state.items():
        # Untrained, tokens and layer scale are next to nothing, and every frame looks the same.
        if name.endswith(("_token", "_tokens")):
            value.normal_(0, 0.5)
        elif name.endswith("gamma"):
            value.fill_(0.5)
    # The head adds up four rounds of translation 3, quaternion xyzw 4, fields of view 2.
    state["cam_head.param_predictor.fc2.weight"].mul_(0.05)
    state["cam_head.param_predictor.fc2.bias"].copy_(torch.tensor([0, 0, 0, 0, 0, 0, 1, 0.7, 1.05]) / 4)
    return network


def _difference(found: torch.Tensor, expected: torch.Tensor) -> float:
    if found.shape != expected.shape or not bool(torch.isfinite(found).all()):
        return float("inf")
    return float((found - expected).norm() / expected.norm().clamp_min(1e-6))
