"""Rectified flow (paper, section 3.3): noise levels of sampling and of training, both shifted toward noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

if TYPE_CHECKING:
    from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler

SHIFT = 5.0
"""Sigma = SHIFT u / (1 + (SHIFT - 1) u): above 1, more of the schedule is spent on strong noise."""
TIMESTEPS = 1000
"""What the transformer calls sigma 1, and the number of noise levels that training draws from."""


def sampling_scheduler(steps: int) -> FlowMatchEulerDiscreteScheduler:
    """Euler steps from pure noise to the sample, the last one to sigma 0.

    diffusers' own grid ends before u = 0 and includes u = 1 / 1000; this one is u = 1 - i / steps.
    """
    from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler

    scheduler = FlowMatchEulerDiscreteScheduler(num_train_timesteps=TIMESTEPS, shift=SHIFT)
    scheduler.set_timesteps(sigmas=torch.linspace(1, 0, steps + 1)[:-1].tolist())
    return scheduler


@dataclass(frozen=True)
class TrainingNoise:
    """Noise levels of training and what the loss at each of them weighs.

    Attributes:
        sigmas: Share of noise in a noisy sample, falling from 1.
        weights: A bell over the timestep, zero at pure noise, of mean 1.
    """

    sigmas: Float[Tensor, " levels"]
    weights: Float[Tensor, " levels"]

    @property
    def timesteps(self) -> Float[Tensor, " levels"]:
        return self.sigmas * TIMESTEPS


def training_noise(levels: int = TIMESTEPS) -> TrainingNoise:
    """The levels that training draws from uniformly: dense near pure noise, by the same shift as sampling."""
    u = torch.linspace(1, 0, levels + 1)[:-1]
    sigmas = SHIFT * u / (1 + (SHIFT - 1) * u)
    bell = torch.exp(-2 * (sigmas - 0.5) ** 2)
    bell = bell - bell.min()
    return TrainingNoise(sigmas, bell * (levels / bell.sum()))
