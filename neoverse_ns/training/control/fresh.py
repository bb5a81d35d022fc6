"""A control branch to begin with, for a Wan model that has none."""

from __future__ import annotations

import torch
from torch import nn

from neoverse_ns.console import say
from neoverse_ns.generate.refiners.wan.architecture import WanArchitecture
from neoverse_ns.generate.refiners.wan.components import empty_transformer, is_control
from neoverse_ns.generate.refiners.wan.files import Part
from neoverse_ns.generate.refiners.wan.key_map import to_diffusers
from neoverse_ns.generate.refiners.wan.shards import assign_stream
from neoverse_ns.generate.refiners.wan.transformer import ControlledWanTransformer


def with_fresh_control(
    part: Part, every: int, dtype: torch.dtype, device: torch.device | str, seed: int
) -> ControlledWanTransformer:
    """Load Wan and give it a new control branch, which leaves its predictions unchanged until it is trained.

    Every control block begins as a copy of the main block that it accompanies; the projections around them begin at
    zero, what reads the control's own input at random.

    Args:
        part: Wan 2.1 in either layout, with a control branch (which is left out) or without.
        every: Main blocks for each control block; 5 in the released model.
        dtype: Of the weights.
        device: Where they are put.
        seed: Of what begins at random.

    Raises:
        WeightsError: The files are damaged or of another model.
    """
    if part.layout == "release":
        architecture = WanArchitecture.from_plain_release(part.shapes, every, part.config.get("num_heads"))
        names = {key: to_diffusers(key) for key in part.shapes if not key.startswith("control_")}
    else:
        architecture = WanArchitecture.from_config(part.config, every)
        names = {key: key for key in part.shapes if not is_control(key)}
    model = empty_transformer(architecture, device)
    new = frozenset(key for key in model.state_dict() if is_control(key))
    assign_stream(model, part.files, names, dtype, device, aliases=new)
    for module in model.control_modules().values():
        module.to_empty(device=device)
        module.to(dtype)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for module in [*model.mask_camera_embedding.modules(), model.vace_patch_embedding]:
            if isinstance(module, nn.Conv3d | nn.GroupNorm):
                module.reset_parameters()
    for block, layer in zip(model.vace_blocks, architecture.control_layers, strict=True):
        block.load_state_dict(model.blocks[layer].state_dict(), strict=False)
        for projection in (block.proj_in, block.proj_out):
            if isinstance(projection, nn.Linear):
                nn.init.zeros_(projection.weight)
                nn.init.zeros_(projection.bias)
    say(f"began a control branch of {len(architecture.control_layers)} blocks beside {architecture.layers}")
    return model
