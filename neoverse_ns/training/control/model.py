"""The transformer as training holds it: Wan frozen, the control branch free to learn."""

from __future__ import annotations

import torch

from neoverse_ns.generate.refiners.wan.components import load_transformer
from neoverse_ns.generate.refiners.wan.files import WanFiles
from neoverse_ns.generate.refiners.wan.transformer import ControlledWanTransformer
from neoverse_ns.training.control.config import ControlTrainingConfig
from neoverse_ns.training.control.fresh import with_fresh_control


def load_model(
    config: ControlTrainingConfig, files: WanFiles, dtype: torch.dtype, device: torch.device
) -> ControlledWanTransformer:
    """Wan with its control branch, or with a new one.

    Args:
        config: Says which.
        files: As found.
        dtype: Of the weights.
        device: Where they are put.

    Raises:
        WeightsError: The files are damaged or of another model.
    """
    if config.fresh_control is not None:
        return with_fresh_control(files.transformer, config.fresh_control, dtype, device, config.seed)
    return load_transformer(files.transformer, dtype, device, control=files.control)


def free_control(model: ControlledWanTransformer, recompute: bool) -> None:
    """Let the control branch alone learn, in float32: steps of 1e-5 would be lost in bfloat16.

    Args:
        model: Changed in place.
        recompute: Compute blocks' activations again in the backward pass.
    """
    model.requires_grad_(False)
    for module in model.control_modules().values():
        module.to(torch.float32)
        module.requires_grad_(True)
    model.train()
    if recompute:
        model.enable_gradient_checkpointing()


def control_parameters(model: ControlledWanTransformer) -> list[torch.nn.Parameter]:
    """What learns."""
    return [parameter for module in model.control_modules().values() for parameter in module.parameters()]
