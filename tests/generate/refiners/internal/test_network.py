"""The network: what it returns untrained, and the bound that no training can lift."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.generate.refiners.internal.network import RefinementNetwork
from neoverse_ns.generate.refiners.internal.network_inputs import ALLOWED
from tests.generate.refiners.internal.inputs_of import random_inputs, settled_inputs


def wild_network(deviation: float = 1.0) -> RefinementNetwork:
    """Weights by default so large that corrections leave [0, 1] everywhere."""
    torch.manual_seed(0)
    network = RefinementNetwork((8, 8, 8))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=deviation)
    return network


def test_untrained_it_mixes_the_drawing_with_what_is_trusted() -> None:
    inputs = random_inputs(height=17, width=27)
    refined = RefinementNetwork((8, 8, 8))(inputs)
    weights = torch.cat([torch.ones_like(inputs.alpha), inputs.trust.clamp_min(0.01)], dim=1)
    mixed = (weights[:, :, None] * inputs.candidates()).sum(1) / weights.sum(1, keepdim=True)
    allowed = inputs.allowed_change()
    expected = inputs.base + allowed * ((mixed - inputs.base) / allowed).tanh()
    assert refined.shape == inputs.base.shape
    assert torch.allclose(refined, expected, atol=1e-6)


def test_no_weights_can_change_settled_pixels_by_more_than_the_bound() -> None:
    inputs = settled_inputs(height=32, width=32)
    inputs.alpha[..., :8, :8] = 0.0
    with torch.no_grad():
        change = (wild_network()(inputs) - inputs.base).abs()
    settled = torch.ones(32, 32, dtype=torch.bool)
    settled[:8, :8] = False
    assert float(change[..., settled].max()) <= ALLOWED + 1e-6
    # What is open can become anything.
    assert float(change[..., ~settled].max()) > 0.5


@pytest.mark.parametrize("size", [(8, 8), (9, 15), (1, 1)])
def test_any_size_goes_through(size: tuple[int, int]) -> None:
    inputs = random_inputs(1, *size)
    assert wild_network()(inputs).shape == (1, 3, *size)


def test_gradients_reach_every_weight() -> None:
    network = wild_network(0.1)
    network(random_inputs()).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.abs().sum() > 0), name
