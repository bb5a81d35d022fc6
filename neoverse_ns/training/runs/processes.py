"""The processes of a run: one, several side by side, or sharing what they hold, as accelerate was told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch

if TYPE_CHECKING:
    from accelerate import Accelerator

Device = Literal["auto", "cpu"]
Precision = Literal["auto", "bf16", "no"]


def on_cpu(device: Device) -> bool:
    """Whether a run stays off the GPU: told to, or because there is none."""
    return device == "cpu" or not torch.cuda.is_available()


def chosen_precision(precision: Precision, device: Device) -> Literal["bf16", "no"]:
    """`auto` is bfloat16 on CUDA and float32 elsewhere."""
    if precision == "auto":
        return "no" if on_cpu(device) else "bf16"
    return precision


def make_accelerator(
    output: Path,
    device: Device,
    precision: Literal["bf16", "no"],
    accumulate: int = 1,
    unused_parameters: bool = False,
    **more: Any,
) -> Accelerator:
    """An accelerator that writes figures for tensorboard.

    Args:
        output: Folder of the run.
        device: `auto` takes what accelerate was launched with.
        precision: That accelerate computes everything prepared in; `no` where the model sees to it by itself.
        accumulate: Backward passes to an optimiser step.
        unused_parameters: Side by side, expect parameters that a step leaves without gradients.
        more: Further arguments of :class:`accelerate.Accelerator`.
    """
    from accelerate import Accelerator
    from accelerate.utils import DistributedDataParallelKwargs

    return Accelerator(
        cpu=on_cpu(device),
        mixed_precision=precision,
        gradient_accumulation_steps=accumulate,
        log_with="tensorboard",
        project_dir=str(output),
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=unused_parameters)],
        **more,
    )
