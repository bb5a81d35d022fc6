"""The network's weights as the release lays them out, so that whatever runs the network takes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.networks.neoverse.checkpoint import ARCHITECTURE_FILE, RELEASED_FILE
from neoverse_ns.training.runs.checkpoints import told_where

if TYPE_CHECKING:
    from accelerate import Accelerator

NETWORK = "objective.network."
"""In front of the network's names within :class:`neoverse_ns.training.reconstructor.learner.Learner`."""


def whole_state(accelerator: Accelerator, prepared: Any) -> dict[str, Tensor]:
    """The network's tensors under its own names, on the CPU, whole where processes share them.

    All processes must call it; where they share the weights, only the main one gets them.
    """
    state: dict[str, Tensor] = accelerator.get_state_dict(prepared)  # pyright: ignore
    return {
        key.removeprefix(NETWORK): value.detach().cpu().contiguous()
        for key, value in state.items()
        if key.startswith(NETWORK)
    }


def write_network(state: dict[str, Tensor], architecture: NetworkArchitecture, folder: Path) -> Path:
    """Write `reconstructor.ckpt`, nothing but the state dict as published, with the architecture beside it.

    Args:
        state: Float tensors become float32.
        architecture: Of the network.
        folder: `--network.weights` takes it.

    Raises:
        RunError: It cannot be written.
    """
    path = folder / RELEASED_FILE
    with told_where(folder):
        folder.mkdir(parents=True, exist_ok=True)
        torch.save({key: value.float() if value.is_floating_point() else value for key, value in state.items()}, path)
        (folder / ARCHITECTURE_FILE).write_text(architecture.to_json(), "utf8")
    return path
