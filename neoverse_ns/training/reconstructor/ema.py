"""Moving averages of the weights, which may do better than the weights themselves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


class MovingAverage:
    """Exponential averages of what learns; the decay grows from 0, so that the first weights are soon forgotten.

    At update t, counted from 0, the decay is min(decay, 1 - (1 + t)^-0.75) (MoVieS, Lin et al. 2025).

    Args:
        parameters: Those that learn, after accelerate has taken them; where processes share them, each holds its part.
        decay: That it grows to.
    """

    def __init__(self, parameters: list[nn.Parameter], decay: float) -> None:
        self.decay, self.updates = decay, 0
        self._parameters = parameters
        self.averages = [parameter.detach().clone() for parameter in parameters]

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights as they are after a step."""
        decay = min(self.decay, 1 - (1 + self.updates) ** -0.75)
        for average, parameter in zip(self.averages, self._parameters, strict=True):
            average.lerp_(parameter.detach(), 1 - decay)
        self.updates += 1

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The averages stand in the model's place within the block."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def state_dict(self) -> dict[str, Any]:
        """Of this process's part."""
        return {"updates": self.updates, "averages": [_local(average).cpu() for average in self.averages]}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state_dict`, on as many processes.

        Raises:
            ValueError: The averages are of another model, or of another number of processes.
        """
        self.updates = state["updates"]
        for average, saved in zip(self.averages, state["averages"], strict=True):
            local = _local(average)
            if local.shape != saved.shape:
                raise ValueError(f"an average has the shape {list(saved.shape)} instead of {list(local.shape)}")
            local.copy_(saved)

    @torch.no_grad()
    def _exchange(self) -> None:
        for average, parameter in zip(self.averages, self._parameters, strict=True):
            kept = parameter.detach().clone()
            parameter.copy_(average)
            average.copy_(kept)


def _local(tensor: Tensor) -> Tensor:
    """This process's part of a tensor that processes share, or all of it."""
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor  # pyright: ignore
