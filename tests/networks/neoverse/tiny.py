"""A real network small enough for tests, with random weights that predict something drawable."""

from __future__ import annotations

from pathlib import Path

import torch

from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.networks.neoverse.model import NeoVerseNetwork

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


@torch.no_grad()
def tiny_network(seed: int = 0) -> NeoVerseNetwork:
    """Cameras that move a little and look ahead through 60 degrees; Gaussians of about a pixel."""
    torch.manual_seed(seed)
    network = NeoVerseNetwork(TINY).eval().requires_grad_(False)
    state = network.state_dict()
    # Tokens start at zero, and layer scale so small that frames would all look the same to the camera head.
    for name, value in state.items():
        if name.endswith("_token") or name.endswith("_tokens"):
            value.normal_(0, 0.5)
        elif name.endswith("gamma"):
            value.fill_(1.0)
    # Four rounds of refinement add up: rotation near the identity, fields of view of 40 and 60 degrees.
    state["cam_head.param_predictor.fc2.weight"].mul_(0.05)
    state["cam_head.param_predictor.fc2.bias"].copy_(torch.tensor([0, 0, 0, 0, 0, 0, 1, 0.7, 1.05]) / 4)
    for stack in ("gs_head", "gs_head_dynamic"):
        state[f"gs_renderer.{stack}.2.bias"].copy_(torch.tensor([1.0, 0, 0, 0, -4, -4, -4, 2, 0, 0, 0, 1]))
    return network


def save_released_layout(network: NeoVerseNetwork, folder: Path) -> Path:
    """A `reconstructor.ckpt` as published: nothing but the state dict."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), folder / "reconstructor.ckpt")
    return folder / "reconstructor.ckpt"
