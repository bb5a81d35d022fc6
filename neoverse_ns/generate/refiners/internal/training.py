"""Teaching the network: crops of degraded views against the true frames."""

from __future__ import annotations

import math
import time
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.console import progress
from neoverse_ns.errors import RefinementError
from neoverse_ns.generate.refiners.internal.crop_loss import gradient_loss, pixel_loss, structure_loss
from neoverse_ns.generate.refiners.internal.settings import InternalSettings
from neoverse_ns.generate.refiners.internal.state import TrainingState
from neoverse_ns.generate.refiners.internal.training_pairs import TrainingPairs

_CLIP = 1.0
"""Largest norm of the gradient of a step."""


def train(
    state: TrainingState, pairs: TrainingPairs, settings: InternalSettings, file: Path | None = None, origin: str = ""
) -> None:
    """Do the steps that are left, with a progress bar; on interruption the state so far is saved first.

    Args:
        state: Changed in place.
        pairs: Pairs to learn from.
        settings: Steps, rates and losses.
        file: Where the state is saved from time to time and at the end; None keeps it in memory.
        origin: See :meth:`TrainingState.save`.

    Raises:
        RefinementError: The loss is no longer finite.
        RunError: The state cannot be saved.
    """
    saved = time.monotonic()
    try:
        with progress("teaching the refiner", settings.steps) as steps:
            steps.advance(state.step)
            while state.step < settings.steps:
                loss = _step(state, pairs, settings)
                steps.advance(note=f"loss {loss:.4f}")
                if file is not None and time.monotonic() - saved > settings.save_every:
                    state.save(file, origin)
                    saved = time.monotonic()
    finally:
        if file is not None:
            state.save(file, origin)


def rate_at(step: int, settings: InternalSettings) -> float:
    """Learning rate of a step, counted from 0: a short linear rise, then a cosine toward zero."""
    rise = min(1.0, (step + 1) / max(settings.steps / 20, 1))
    return settings.learning_rate * rise * 0.5 * (1 + math.cos(math.pi * step / settings.steps))


def total_loss(
    refined: Float[Tensor, "b 3 h w"], target: Float[Tensor, "b 3 h w"], settings: InternalSettings
) -> Float[Tensor, ""]:
    """The weighted sum of all terms."""
    loss = pixel_loss(refined, target) + settings.gradient_weight * gradient_loss(refined, target)
    if settings.structure_weight and min(target.shape[-2:]) >= 7:
        loss = loss + settings.structure_weight * structure_loss(refined, target)
    return loss


def _step(state: TrainingState, pairs: TrainingPairs, settings: InternalSettings) -> float:
    """One step; returns its loss."""
    for group in state.optimizer.param_groups:
        group["lr"] = rate_at(state.step, settings)
    inputs, target = pairs.batch(settings, state.generator)
    loss = total_loss(state.network(inputs), target, settings)
    value = loss.item()
    if not math.isfinite(value):
        raise RefinementError(
            f"the refiner's loss is no longer finite at step {state.step}: lower learning_rate, "
            "and look whether the drawings hold values that are not finite"
        )
    state.optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(state.network.parameters(), _CLIP)
    state.optimizer.step()
    state.step += 1
    return value
