"""The Gaussians as nerfstudio parameters, and back."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neoverse_ns.gaussians.dynamic import DynamicGaussians

PARAMETERS = (
    "means",
    "quats",
    "log_scales",
    "opacity_logits",
    "sh",
    "velocities",
    "angular_velocities",
    "life_span_logits",
)
"""Fields that are optimised; each is a parameter group of its own, so that each can have its own rate."""

BUFFERS = ("keyframe", "interval", "dynamic")
"""What a Gaussian keeps for life: not optimised, but saved."""


def to_parameters(gaussians: DynamicGaussians) -> nn.ParameterDict:
    """Leaf parameters in the struct's own shapes, so that selecting rows of them has sparse gradients."""
    return nn.ParameterDict({name: nn.Parameter(getattr(gaussians, name).detach().clone()) for name in PARAMETERS})


def to_gaussians(parameters: nn.ParameterDict, buffers: dict[str, Tensor]) -> DynamicGaussians:
    """The struct that everything else takes; shares memory with the parameters."""
    return DynamicGaussians(**{name: parameters[name] for name in PARAMETERS}, **buffers)


def single_gaussian() -> DynamicGaussians:
    """One constant Gaussian: what a model holds until its checkpoint is loaded."""
    return DynamicGaussians(
        means=torch.zeros(1, 3),
        quats=torch.tensor([[1.0, 0.0, 0.0, 0.0]]),
        log_scales=torch.zeros(1, 3),
        opacity_logits=torch.zeros(1),
        sh=torch.zeros(1, 1, 3),
        keyframe=torch.zeros(1, dtype=torch.int64),
        interval=torch.tensor([[-1.0, 0.0, 1.0]]),
        velocities=torch.zeros(1, 2, 3),
        angular_velocities=torch.zeros(1, 2, 3),
        life_span_logits=torch.zeros(1),
        dynamic=torch.zeros(1, dtype=torch.bool),
    )
