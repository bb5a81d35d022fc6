"""Small networks with the weights of the published code's numbers, and tiny ones of any weights."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.networks.neoverse.model import NeoVerseNetwork
from tests.shared import shared_file

TINY = NetworkArchitecture(
    patch_embed="conv",
    embed_dim=32,
    depth=4,
    heads=2,
    taps=(0, 1, 2, 3),
    gs_dim=16,
    features=16,
    out_channels=(8, 8, 16, 16),
)
"""As small as the code allows to stay interesting."""


@lru_cache
def filler() -> ModuleType:
    """The module that fills weights as the published code's were; skips the test where it is absent."""
    spec = importlib.util.spec_from_file_location("fill_weights", shared_file("fixtures/fill_weights.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def architecture_of(case: dict[str, Any]) -> NetworkArchitecture:
    """The sizes of a fixture, whose settings bear the published code's own names."""
    config = case["config"]
    return NetworkArchitecture(
        patch_embed=config["patch_embed"],
        embed_dim=config["embed_dim"],
        depth=config["depth"],
        heads=config["heads"],
        taps=tuple(config["idx"]),
        gs_dim=config["gs_dim"],
        features=config["features"],
        out_channels=tuple(config["outc"]),
    )


@lru_cache
def load(name: str) -> tuple[dict[str, Any], dict[str, np.ndarray], NeoVerseNetwork, Tensor]:
    """Settings, expected arrays, filled network and images of a fixture."""
    case, expected = filler().load_case(name)
    with torch.device("meta"):
        network = NeoVerseNetwork(architecture_of(case)).eval()
    network.to_empty(device="cpu")
    with torch.no_grad():
        filler().fill_parameters(network, case["seed"], case["overrides"])
    return case, expected, network, filler().network_images(case)


def lively(architecture: NetworkArchitecture = TINY, seed: int = 0) -> NeoVerseNetwork:
    """A network whose untrained weights are spread widely enough for every path to matter, cameras included."""
    random = torch.Generator().manual_seed(seed)
    network = NeoVerseNetwork(architecture).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            noise = torch.randn(parameter.shape, generator=random)
            if parameter.ndim >= 2:
                parameter.copy_(noise / max(1, parameter[0].numel()) ** 0.5)
            else:
                parameter.copy_(0.1 * noise + float(name.endswith(("weight", "gamma"))))
        last = network.cam_head.param_predictor.fc2
        last.weight.mul_(0.02)
        last.bias.copy_(torch.tensor([0.02, -0.01, 0.02, 0.02, -0.01, 0.015, 0.25, 0.2, 0.26]))
        for stack in (network.gs_renderer.gs_head, network.gs_renderer.gs_head_dynamic):
            stack[2].weight.mul_(0.3)
            stack[2].bias.copy_(torch.tensor([0.0, 0, 0, 0, -4, -4, -4, 0.5, 0, 0, 0, -0.5]))
    return network


def frames(count: int, height: int = 28, width: int = 42, batch: int = 1, seed: int = 0) -> Tensor:
    """Random images [batch, count, 3, height, width] in [0, 1]."""
    return torch.rand(batch, count, 3, height, width, generator=torch.Generator().manual_seed(seed))
