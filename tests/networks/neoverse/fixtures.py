"""Small networks with the weights of the published code's numbers, and tiny ones of any weights."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.networks.neoverse.model import NeoVerseNetwork
from tests.fixtures import filling
from tests.fixtures.published import Published, read_arrays, read_json

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
def load(folder: Path, name: str) -> tuple[dict[str, Any], dict[str, Published], NeoVerseNetwork, Tensor]:
    """Settings, expected arrays, filled network (not to be changed) and images of a fixture."""
    case = read_json(folder, name)
    return case, read_arrays(folder, name), _network(json.dumps(case)), filling.images(case)


@lru_cache
def _network(settings: str) -> NeoVerseNetwork:
    """The network of a fixture; one for the whole and the reduced form of the same case."""
    case = json.loads(settings)
    with torch.device("meta"):
        network = NeoVerseNetwork(architecture_of(case)).eval()
    network.to_empty(device="cpu")
    filling.fill(network.state_dict(), case["seed"], case["overrides"])
    return network


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
