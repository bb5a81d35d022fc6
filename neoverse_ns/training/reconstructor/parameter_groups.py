"""Which parameters learn how fast, which decay, and which have their gradients clipped together."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any, Literal

import torch
from torch import Tensor, nn

Kind = Literal["patch_embed", "backbone", "heads", "new"]
KINDS: tuple[Kind, ...] = ("patch_embed", "backbone", "heads", "new")

NEW_IN_NEOVERSE = (
    "visual_geometry_transformer.motion_",
    "velocity_fwd_head.",
    "velocity_bwd_head.",
    "gs_fwd_attr_head.",
    "gs_bwd_attr_head.",
    "gs_renderer.gs_head_dynamic.",
)
"""Beginnings of the names of what NeoVerse adds to WorldMirror."""

_TRUNK = "visual_geometry_transformer."
_PATCHES = _TRUNK + "patch_embed."
_MOTION = ("visual_geometry_transformer.motion_", "velocity_", "gs_fwd_attr_head", "gs_bwd_attr_head")


def kind_of(name: str, apart: bool = False) -> Kind:
    """Of which of the learning rates a parameter is, by its name in the network; heads that WorldMirror has
    count to the backbone, but for `apart`, when they are a kind of their own."""
    if name.startswith(_PATCHES):
        return "patch_embed"
    if name.startswith(NEW_IN_NEOVERSE):
        return "new"
    return "heads" if apart and not name.startswith(_TRUNK) else "backbone"


def parameter_groups(network: nn.Module, rates: dict[Kind, float], decay: float) -> list[dict[str, Any]]:
    """Groups for AdamW, empty ones left out; what does not learn is in none.

    Args:
        network: Its parameters have the network's names.
        rates: Learning rate of each kind; without one for heads they are no kind of their own.
        decay: Of tensors of two dimensions or more; biases, norms and layer scales do not decay.
    """
    groups, apart = [], "heads" in rates
    for kind, decays in itertools.product(KINDS, (True, False)):
        if kind in rates:
            members = [
                parameter
                for name, parameter in network.named_parameters()
                if parameter.requires_grad and kind_of(name, apart) == kind and (parameter.ndim > 1) == decays
            ]
            if members:
                named = {"name": kind, "lr": rates[kind], "weight_decay": decay if decays else 0.0}
                groups.append({"params": members, **named})
    return groups


def clipped_together(network: nn.Module) -> list[list[nn.Parameter]]:
    """Parameters of each module whose gradients are clipped by their own norm: patches, trunk, motion, every head."""
    modules: dict[str, list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            modules.setdefault(_module_of(name), []).append(parameter)
    return list(modules.values())


def clip_gradients(groups: Iterable[list[nn.Parameter]], most: float) -> float:
    """Scale down each group's gradients that are longer than `most`, with all their shards where processes share them.

    Returns:
        The norm of all gradients before.
    """
    squares = 0.0
    for parameters in groups:
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        norm = _whole(torch.nn.utils.get_total_norm(gradients))
        torch.nn.utils.clip_grads_with_norm_(parameters, most, norm)
        squares += float(norm) ** 2
    return squares**0.5


def _module_of(name: str) -> str:
    if name.startswith(_PATCHES):
        return "patches"
    if name.startswith(_MOTION):
        return "motion"
    if name.startswith("gs_"):
        return "gaussians"
    return name.partition(".")[0]


def _whole(norm: Tensor) -> Tensor:
    """The norm over all processes of one that is shared between them."""
    return norm.full_tensor() if hasattr(norm, "full_tensor") else norm  # pyright: ignore
