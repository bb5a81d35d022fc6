"""The precision that drawing needs, whatever the caller computes in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor

HALF = (torch.float16, torch.bfloat16)


@contextmanager
def full_precision() -> Iterator[None]:
    """Switch autocast off inside the block, or inside a function that this decorates, for CPU and CUDA tensors alike.

    In half precision a pose of a few metres is rounded to centimetres, and a variance of colours to nothing.
    """
    with ExitStack() as stack:
        for device in ("cpu", "cuda"):
            if torch.is_autocast_enabled(device):
                stack.enter_context(torch.autocast(device, enabled=False))
        yield


def widened(tensor: Tensor, like: Tensor) -> Tensor:
    """What autocast left in half precision as float64 where `like` is, else as float32; anything else unchanged."""
    if tensor.dtype not in HALF:
        return tensor
    return tensor.to(torch.float64 if like.dtype == torch.float64 else torch.float32)
