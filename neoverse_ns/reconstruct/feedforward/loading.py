"""The network with its weights, ready to run on a clip, and what a report should say of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from neoverse_ns.console import warn
from neoverse_ns.networks.neoverse.checkpoint import NetworkWeights, Precision, inspect_weights
from neoverse_ns.networks.neoverse.memory import MemoryRequest
from neoverse_ns.reconstruct.feedforward.availability import device_of, dtype_of, weights_config
from neoverse_ns.reconstruct.feedforward.config import NetworkConfig
from neoverse_ns.reconstruct.feedforward.kept import Loading, network_for
from neoverse_ns.reconstruct.feedforward.runner import Network
from neoverse_ns.reconstruct.feedforward.sizing import NetworkSize
from neoverse_ns.reconstruct.feedforward.window_budget import window_that_fits
from neoverse_ns.weights.device_memory import free_memory
from neoverse_ns.weights.digest import check_sha256, identity_name
from neoverse_ns.weights.hub import obtain_weights

_LARGE = 100_000_000
"""Parameters from which on a CPU is slow."""


@dataclass(frozen=True)
class ReadyNetwork:
    """A network where it will run.

    Attributes:
        network: To be called.
        window: Most frames at once that its device has memory for, at most what was asked for.
        about: `weights` and `memory_estimate_gb` for the report.
        rest: To be called when the clip is done; see :class:`neoverse_ns.reconstruct.feedforward.kept.LoadedNetwork`.
    """

    network: Network
    window: int
    about: dict[str, Any]
    rest: Callable[[], None] = lambda: None


def load_for_clip(config: NetworkConfig, size: NetworkSize, frames: int, keyframes: int) -> ReadyNetwork:
    """Look at the weights, see how much fits the device, and load the network.

    Args:
        config: Settings.
        size: Of what the network will see.
        frames: Of the clip.
        keyframes: Of the clip.

    Raises:
        WeightsError: The weights cannot be had, are damaged or not this network's.
        MemoryShortageError: The device has too little memory for anything.
        SettingsError: The device has no such precision.
    """
    device = device_of(config)
    mixed = dtype_of(config, device) is torch.bfloat16
    precision: Precision = "bfloat16" if mixed and device.type != "cpu" else "float32"
    staged = config.low_vram and device.type != "cpu"
    path = obtain_weights(weights_config(config))
    if config.sha256 is not None:
        check_sha256(path, config.sha256)
    request = MemoryRequest(
        frames,
        height=size.network[1],
        width=size.network[0],
        head_chunk=config.head_chunk,
        motion=config.mode == "paper",
        precision=precision,
        mixed_precision=mixed,
        staged=staged,
    )
    found = inspect_weights(path)
    architecture = found.architecture
    if device.type == "cpu" and sum(tensor.numel() for tensor in found.file.tensors.values()) > _LARGE:
        warn("the network runs on the CPU: minutes where a GPU takes seconds; --reconstructor bundle is faster")
    budget = window_that_fits(architecture, request, keyframes, config.window, free_memory(device))
    loaded = network_for(Loading(path, precision, device, staged))
    about = {"weights": _describe(config, loaded.weights), "memory_estimate_gb": round(budget.needed / 1e9, 3)}
    return ReadyNetwork(loaded.network, budget.window, about, loaded.rest)


def _describe(config: NetworkConfig, weights: NetworkWeights) -> dict[str, str]:
    return {
        "source": config.weights,
        "file": weights.file.path.name,
        "identity": weights.identity,
        "known_as": identity_name(weights.identity),
    }
