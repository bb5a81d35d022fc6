"""Parameters that a step does not use, which must have a gradient nevertheless."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neoverse_ns.networks.neoverse.deduce import TRUNK
from neoverse_ns.networks.neoverse.model import NeoVerseNetwork
from neoverse_ns.networks.neoverse.predictions import NetworkPredictions

_PRIORS = (f"{TRUNK}.pose_embed.", f"{TRUNK}.ray_embed.", f"{TRUNK}.depth_embed.")
_MOTION = (f"{TRUNK}.motion_", "velocity_fwd_head.", "velocity_bwd_head.", "gs_fwd_attr_head.", "gs_bwd_attr_head.")
_POINTS = ("pts_head.",)


def idle_parameters(network: NeoVerseNetwork, motion: bool, points: bool) -> list[nn.Parameter]:
    """Parameters without part in any prediction.

    Args:
        network: Runs without priors.
        motion: It runs its motion branch.
        points: It runs its point head.
    """
    prefixes = _PRIORS + (() if motion else _MOTION) + (() if points else _POINTS)
    return [p for name, p in network.named_parameters() if name.startswith(prefixes) and p.requires_grad]


def touch(parameters: list[nn.Parameter], predictions: NetworkPredictions) -> Float[Tensor, ""]:
    """Zero, but it gives a gradient, if only of zeros, to all parameters and to all behind the predictions.

    Processes that add up gradients wait for those of every parameter, whatever the clips of each of them lack. Shares
    of parameters (FSDP) are left alone: where one process does not use them, none does.
    """
    # Matrices of cameras may be infinite where a field of view is zero; their parameters are among the others.
    outputs = [value for name, value in predictions.tensors().items() if name not in ("c2w", "K")]
    whole = [p for p in parameters if type(p) is nn.Parameter and not hasattr(p, "placements")]
    return sum((0 * value.sum() for value in [*outputs, *whole]), torch.zeros_like(outputs[0].sum()))
