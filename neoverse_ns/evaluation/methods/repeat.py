"""The nearest input, shown again: what any method must beat."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import torch
from jaxtyping import UInt8
from torch import Tensor

from neoverse_ns.evaluation.judges.views.task import Answer, Shown, Target, ViewMethod, ViewTask


class Repeat(ViewMethod):
    """Shows the input nearest in time, the earlier of two as near."""

    name, solver = "repeat", "none"

    def answer(self, task: ViewTask) -> Answer:
        return Answer(self._views(task))

    def _views(self, task: ViewTask) -> Iterator[Shown]:
        times = task.clip.times.double()
        for target in task.targets:
            nearest = int((times - target.time).abs().argmin())
            yield Shown(target.name, resized(task.clip.frames[nearest], target))


def resized(picture: UInt8[Tensor, "h w 3"], target: Target) -> UInt8[Tensor, "th tw 3"]:
    """A picture at the size of a target."""
    size = target.width, target.height
    if (picture.shape[1], picture.shape[0]) == size:
        return picture
    shrinks = size[0] <= picture.shape[1] and size[1] <= picture.shape[0]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return torch.from_numpy(cv2.resize(picture.numpy(), size, interpolation=interpolation))
