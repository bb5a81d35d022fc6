"""One optimiser step: its batches, gradients and clipping, or leaving it out where it is not finite."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from neoverse_ns.networks.neoverse.model import NeoVerseNetwork
from neoverse_ns.training.data.batch import TrainingBatch
from neoverse_ns.training.reconstructor.config import ReconstructorTrainingConfig
from neoverse_ns.training.reconstructor.objective import StepResult
from neoverse_ns.training.reconstructor.parameter_groups import clip_gradients, clipped_together
from neoverse_ns.training.reconstructor.schedule import rate_factor
from neoverse_ns.training.runs.non_finite import NonFiniteGuard
from neoverse_ns.training.runs.pace import Pace

if TYPE_CHECKING:
    from accelerate import Accelerator


class Told:
    """Figures of steps, averaged until they are told."""

    def __init__(self) -> None:
        self._values: defaultdict[str, list[float]] = defaultdict(list)

    def add(self, figures: dict[str, float]) -> None:
        for name, value in figures.items():
            self._values[name].append(value)

    @property
    def last(self) -> float:
        """The newest loss."""
        return self._values["loss"][-1] if self._values["loss"] else math.nan

    @property
    def sum_of_losses(self) -> float:
        """Finite where all of them are."""
        return sum(self._values["loss"])

    def means(self) -> dict[str, float]:
        """Of the steps that were finite."""
        known = {name: [v for v in values if math.isfinite(v)] for name, values in self._values.items()}
        return {name: sum(values) / len(values) if values else math.nan for name, values in known.items()}


class Stepper:
    """Takes optimiser steps.

    Args:
        accelerator: That prepared the next two.
        prepared: What learns; see :class:`neoverse_ns.training.reconstructor.learner.Learner`.
        optimizer: Its groups have the names of kinds.
        network: What learns, without its wrappings.
        config: Of the run.
        guard: Against what is not finite.
        pace: Told of frames and of waiting.
    """

    def __init__(
        self,
        accelerator: Accelerator,
        prepared: Any,
        optimizer: Any,
        network: NeoVerseNetwork,
        config: ReconstructorTrainingConfig,
        guard: NonFiniteGuard,
        pace: Pace,
    ) -> None:
        self._accelerator, self._prepared, self._optimizer = accelerator, prepared, optimizer
        self._config, self._guard, self._pace = config.optimiser, guard, pace
        self._steps = config.steps
        learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self._clipped = clipped_together(network) if self._config.clip_by == "module" else [learning]
        # DeepSpeed clips and steps within the backward pass.
        self._steps_itself = getattr(accelerator.state, "deepspeed_plugin", None) is not None

    def take(self, step: int, batches: Iterator[TrainingBatch]) -> dict[str, float]:
        """A step, counted from 0, or none where it is not finite.

        Returns:
            Loss, its terms before weights, norm of all gradients and learning rate; of this process.

        Raises:
            RunError: Too many steps in a row were not finite, or too many clips are bad.
        """
        factor = rate_factor(step, self._config.warm_up, self._steps, self._config.end)
        rates = self._config.rates()
        for group in self._optimizer.param_groups:
            group["lr"] = rates[group["name"]] * factor
        told, names, norm, parts = Told(), [], math.nan, self._config.accumulate
        for _ in range(parts):
            batch = self._pace.waited(batches).to(self._accelerator.device)
            with self._accelerator.accumulate(self._prepared):
                total, result = self._prepared(batch)
                told.add(_figures(result))
                names += batch.names
                if self._steps_itself and not self._guard.good(step, {"loss": told.last}, batch.names):
                    continue
                self._accelerator.backward(total)
                if self._accelerator.sync_gradients:
                    norm = self._finish(step, told, names)
            self._pace.count(len(batch) * batch.tensors.rgb.shape[1] * self._accelerator.num_processes, 1 / parts)
        return {**told.means(), "gradient_norm": norm, "rate": rates["backbone"] * factor}

    def _finish(self, step: int, told: Told, names: list[str]) -> float:
        """Clip and step, where all is finite on all processes; the norm before."""
        if self._steps_itself:
            norm = float(self._accelerator.clip_grad_norm_([], self._config.clip) or math.nan)
            self._optimizer.step()
            self._optimizer.zero_grad()
            return norm
        norm = clip_gradients(self._clipped, self._config.clip)
        if self._guard.good(step, {"loss": told.sum_of_losses, "gradient": norm}, names):
            self._optimizer.step()
        self._optimizer.zero_grad()
        return norm


def _figures(result: StepResult) -> dict[str, float]:
    terms = {name: float(values.detach().mean()) for name, values in result.terms.items()}
    return {"loss": float(result.total.detach()), **terms}
