"""Samples of one size, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from neoverse_ns.training.data.sample import TrainingSample


@dataclass(frozen=True)
class TrainingBatch:
    """Clips of a step on one process.

    Attributes:
        tensors: The fields of :class:`TrainingSample`, each with the clips in front.
        names: Data set, clip and frame numbers of each sample, for messages.
    """

    tensors: TrainingSample
    names: list[str]

    def __len__(self) -> int:
        return len(self.names)

    def to(self, device: torch.device | str) -> TrainingBatch:
        return TrainingBatch(_each(self.tensors, lambda value: value.to(device, non_blocking=True)), self.names)

    def pin_memory(self) -> TrainingBatch:
        """Called by torch's loader."""
        return TrainingBatch(_each(self.tensors, Tensor.pin_memory), self.names)


def collate(samples: Sequence[tuple[TrainingSample, str]]) -> TrainingBatch:
    """Samples with their names; all have the same numbers of frames and pixels."""
    names = [field.name for field in fields(TrainingSample)]
    stacked = {name: torch.stack([getattr(sample, name) for sample, _ in samples]) for name in names}
    return TrainingBatch(TrainingSample(**stacked), [name for _, name in samples])


def _each(sample: TrainingSample, change: Callable[[Tensor], Tensor]) -> TrainingSample:
    return TrainingSample(**{f.name: change(getattr(sample, f.name)) for f in fields(sample)})
