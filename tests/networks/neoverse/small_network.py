"""Architectures small enough to build in a moment, and networks with weights that are not all alike."""

from __future__ import annotations

import torch

from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.networks.neoverse.model import NeoVerseNetwork

TINY = NetworkArchitecture("conv", 32, 4, 2, (0, 1, 2, 3), 16, 8, (8, 8, 16, 16))
UNEVEN = NetworkArchitecture("conv", 48, 6, 3, (1, 2, 4, 5), 8, 16, (8, 12, 16, 20))


def small_network(architecture: NetworkArchitecture = TINY, seed: int = 0) -> NeoVerseNetwork:
    """Random weights that give every output a spread."""
    generator = torch.Generator().manual_seed(seed)
    network = NeoVerseNetwork(architecture)
    for key, value in network.state_dict().items():
        fan_in = value[0].numel() if value.ndim > 1 else 1
        noise = torch.randn(value.shape, generator=generator)
        value.copy_(noise / fan_in**0.5 if value.ndim > 1 else 0.1 * noise + float(key.endswith(("weight", "gamma"))))
    return network.eval().requires_grad_(False)


def images(frames: int = 3, height: int = 28, width: int = 42) -> torch.Tensor:
    return torch.rand(1, frames, 3, height, width, generator=torch.Generator().manual_seed(1))


def assert_same_predictions(network: NeoVerseNetwork, other: NeoVerseNetwork) -> None:
    """Bit for bit the same outputs."""
    truth, found = (n(images()).tensors() for n in (network, other))
    assert set(truth) == set(found)
    for name, value in truth.items():
        torch.testing.assert_close(found[name], value, rtol=0, atol=0, msg=name)
