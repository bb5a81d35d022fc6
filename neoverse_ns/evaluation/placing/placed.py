"""Judged cameras, placed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation.judges.views.task import Target, ViewTask
from neoverse_ns.geometry.cameras import PinholeCameras


@dataclass(frozen=True)
class Placed:
    """Cameras of all targets of a task, in the reconstruction's world and unit.

    Attributes:
        c2w: Camera to world, OpenCV axes.
        K: In pixels of each target's own size.
    """

    c2w: Float64[Tensor, "m 4 4"]
    K: Float64[Tensor, "m 3 3"]

    def camera(self, number: int, target: Target) -> PinholeCameras:
        """One of them, at the size that is judged."""
        return PinholeCameras(self.c2w[[number]].float(), self.K[[number]].float(), target.width, target.height)


def known_inputs(task: ViewTask) -> PinholeCameras:
    """True cameras of the inputs.

    Raises:
        SettingsError: The data set does not tell them.
    """
    if task.cameras is None:
        raise SettingsError(
            f"{task.scene}: the cameras of its inputs are not known, so that nothing can be placed by them: choose a "
            "protocol with predict-all"
        )
    return task.cameras


def true_cameras(targets: Sequence[Target]) -> PinholeCameras:
    """True cameras of targets of one size.

    Raises:
        SettingsError: The data set does not tell one of them; names it.
    """
    for target in targets:
        if target.true_c2w is None or target.true_K is None:
            raise SettingsError(f"{target.name}: its camera is not known, so that it cannot be placed")
    c2w = torch.stack([target.true_c2w for target in targets if target.true_c2w is not None])
    K = torch.stack([target.true_K for target in targets if target.true_K is not None])
    return PinholeCameras(c2w.double(), K.double(), targets[0].width, targets[0].height)


def nearest_inputs(task: ViewTask, targets: Sequence[Target]) -> list[int]:
    """For each target its own simultaneous input, or else the nearest in time."""
    times = task.clip.times.double()
    nearest = [int((times - target.time).abs().argmin()) for target in targets]
    return [near if target.beside is None else target.beside for near, target in zip(nearest, targets, strict=True)]


def place_by_size(task: ViewTask, place: Callable[[list[Target]], PinholeCameras]) -> Placed:
    """All targets, those of one size at a time.

    Args:
        task: Its targets.
        place: Places targets of one size, at that size.
    """
    c2w = torch.eye(4, dtype=torch.float64).repeat(len(task.targets), 1, 1)
    K = torch.eye(3, dtype=torch.float64).repeat(len(task.targets), 1, 1)
    for numbers in _of_one_size(task.targets):
        found = place([task.targets[number] for number in numbers])
        c2w[numbers], K[numbers] = found.c2w.double(), found.K.double()
    return Placed(c2w, K)


def _of_one_size(targets: Sequence[Target]) -> Iterator[list[int]]:
    for size in sorted({(target.width, target.height) for target in targets}):
        yield [number for number, target in enumerate(targets) if (target.width, target.height) == size]
