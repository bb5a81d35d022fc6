"""Parts of the network whose activations are computed again in the backward pass instead of kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils.checkpoint import checkpoint


def run_part(part: Callable[..., Any], *arguments: Any, recompute: bool) -> Any:
    """`part(*arguments)`, keeping nothing inside but the arguments where `recompute` is on and gradients are wanted.

    Results and gradients are the same bit by bit: nothing in the network is random.
    """
    if not (recompute and torch.is_grad_enabled()):
        return part(*arguments)
    return checkpoint(part, *arguments, use_reentrant=False, preserve_rng_state=False)
