"""Building a network whose weights will be replaced anyway."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

_FILLS = frozenset(
    {"uniform_", "normal_", "constant_", "kaiming_uniform_", "fill_", "zero_", "erfinv_", "mul_", "add_", "clamp_"}
)
"""Functions of torch.nn.init that tell modes of being called, and the methods that the others call."""


class _LeaveMetaTensors(TorchFunctionMode):
    """In-place arithmetic on tensors without storage does nothing, so it need not be dispatched."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        target = args[0] if args else kwargs.get("tensor")
        if func.__name__ in _FILLS and isinstance(target, torch.Tensor) and target.is_meta:
            return target
        return func(*args, **kwargs)


def cheap_on_meta() -> AbstractContextManager[Any]:
    """Skip the initialisation of weights inside the block where the default device is `meta`.

    Random numbers on that device go through decompositions written in Python: 20 seconds and half a gigabyte for the
    released network, for nothing.
    """
    return _LeaveMetaTensors() if torch.empty(0).is_meta else nullcontext()
