"""NetworkInputs made up for tests."""

from __future__ import annotations

from dataclasses import replace

import torch

from neoverse_ns.generate.refiners.internal.network_inputs import NetworkInputs
from neoverse_ns.generate.refiners.internal.reference_lookup import SLOTS


def random_inputs(batch: int = 2, height: int = 16, width: int = 24, seed: int = 0) -> NetworkInputs:
    """Anything at all."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(channels: int) -> torch.Tensor:
        return torch.rand(batch, channels, height, width, generator=generator)

    depth = uniform(1) - 0.5
    return NetworkInputs(
        uniform(3), uniform(3 * SLOTS), uniform(SLOTS), uniform(1), uniform(1).round(), depth, uniform(6)
    )


def settled_inputs(batch: int = 1, height: int = 16, width: int = 24) -> NetworkInputs:
    """Fully covered, and every frame of the clip agrees."""
    some = random_inputs(batch, height, width)
    return replace(
        some,
        colours=some.base.repeat(1, SLOTS, 1, 1),
        trust=torch.ones_like(some.trust),
        alpha=torch.ones_like(some.alpha),
    )
