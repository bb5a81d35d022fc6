"""FSDP2 over the control branch: what learns is divided among the processes, frozen Wan is whole on each.

Wan's frozen weights would have to be gathered for every pass and stay so until the backward pass is over: dividing them
would save nothing but what the branch's gradients and optimiser already save.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor

from neoverse_ns.errors import RefinementError
from neoverse_ns.generate.refiners.wan.transformer import ControlledWanTransformer


def share_control(model: ControlledWanTransformer) -> None:
    """Divide the branch's parameters, gradients and (of an optimiser that is made afterwards) states, in place.

    Args:
        model: Its branch free to learn.

    Raises:
        RefinementError: There is one process alone.
    """
    from torch.distributed import is_initialized
    from torch.distributed.fsdp import fully_shard

    if not is_initialized():
        raise RefinementError(
            "--fsdp divides the branch among processes, and there is one: start several "
            "(accelerate launch --num-processes 8 -m neoverse_ns.cli.main train-control ...), or leave it out"
        )
    frozen = {parameter for parameter in model.parameters() if not parameter.requires_grad}
    for block in model.vace_blocks:
        fully_shard(block, reshard_after_forward=False)
    # What is left of the branch, two small embeddings, goes with the root.
    fully_shard(model, reshard_after_forward=False, ignored_params=frozen)


def whole(value: Tensor) -> Tensor:
    """A tensor as one process alone would have it; where it is divided every process must ask."""
    return value.full_tensor() if isinstance(value, DTensor) else value


def save_shared(model: ControlledWanTransformer, optimizer: torch.optim.Optimizer, folder: Path) -> None:
    """Write the optimiser's states, each process its own part; every process must call it."""
    import torch.distributed.checkpoint as parts
    from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict

    parts.save({"optimizer": get_optimizer_state_dict(model, optimizer)}, checkpoint_id=str(folder))


def load_shared(model: ControlledWanTransformer, optimizer: torch.optim.Optimizer, folder: Path) -> None:
    """Read what :func:`save_shared` wrote, with any number of processes; every process must call it."""
    import torch.distributed.checkpoint as parts
    from torch.distributed.checkpoint.state_dict import get_optimizer_state_dict, set_optimizer_state_dict

    state = {"optimizer": get_optimizer_state_dict(model, optimizer)}
    parts.load(state, checkpoint_id=str(folder))
    set_optimizer_state_dict(model, optimizer, state["optimizer"])
