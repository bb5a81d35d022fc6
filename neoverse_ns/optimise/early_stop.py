"""Ending a run whose loss has stopped falling."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neoverse_ns.errors import SettingsError


@dataclass
class EarlyStopConfig:
    """When to stop before `max_num_iterations`."""

    improvement: float = 0.01
    """Stop once the mean loss of `steps` steps is less than this share below that of the `steps` before them; 0 never
    stops. In 500 steps on walking clips the loss falls by more than 10 % from every 100 steps to the next, so that 1 %
    ends only what is finished."""
    steps: int = 100
    """Steps that are averaged; rounded up to whole passes over the training frames, which differ in difficulty."""

    def validate(self) -> None:
        """Raise SettingsError where a value is out of range."""
        if not 0 <= self.improvement < 1:
            raise SettingsError(f"early_stop.improvement must lie in [0, 1), got {self.improvement}")
        if self.steps < 1:
            raise SettingsError(f"early_stop.steps must be at least 1, got {self.steps}")


class EarlyStop(nn.Module):
    """Compares blocks of steps; its sums are buffers, so that a resumed run decides as an uninterrupted one would.

    Args:
        config: See :class:`EarlyStopConfig`.
        frames: Number of training frames: steps of one pass.
    """

    def __init__(self, config: EarlyStopConfig, frames: int) -> None:
        super().__init__()
        self.config = config
        self._block = math.ceil(config.steps / frames) * frames
        # Sum and number of the losses of the block under way, and the mean of the block before (infinite at first).
        self.register_buffer("sums", torch.tensor([0.0, 0.0, torch.inf], dtype=torch.float64))
        self.stalled = False

    def update(self, loss: Float[Tensor, ""]) -> None:
        """Add a step's loss; afterwards `stalled` says whether a block just ended without enough improvement."""
        self.stalled = False
        if self.config.improvement == 0:
            return
        assert isinstance(self.sums, Tensor)
        self.sums[0] += loss.detach().to(self.sums)
        self.sums[1] += 1
        total, count, before = self.sums.tolist()
        if count >= self._block:
            mean = total / count
            self.stalled = mean > (1 - self.config.improvement) * before
            self.sums.copy_(self.sums.new_tensor([0.0, 0.0, mean]))
