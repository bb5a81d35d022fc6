"""The nearest input, shown again: what any method must beat."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import torch
from jaxtyping import UInt8
from torch import Tensor

from neoverse_ns.evaluation.judges.views.task import Answer, Shown, Target, ViewMethod, ViewTask
from neoverse_ns.evaluation.methods.seeds import UNUSED_SEED

_AS_NEAR = 1e-9
"""Difference of normalised times that is rounding alone; frames of a day at 1000 a second lie farther apart."""


class Repeat(ViewMethod):
    """Shows the input nearest in time, the earlier of two as near."""

    name, solver = "repeat", "none"

    def answer(self, task: ViewTask) -> Answer:
        return Answer(self._views(task), report={"seed": UNUSED_SEED})

    def _views(self, task: ViewTask) -> Iterator[Shown]:
        # In double precision throughout: an input's time in single would make one of two as near the nearer.
        times = task.clip.seconds / (float(task.clip.seconds[-1]) or 1.0)
        for target in task.targets:
            distances = (times - target.time).abs()
            nearest = int((distances <= distances.min() + _AS_NEAR).nonzero()[0])
            yield Shown(target.name, resized(task.clip.frames[nearest], target))


def resized(picture: UInt8[Tensor, "h w 3"], target: Target) -> UInt8[Tensor, "th tw 3"]:
    """A picture at the size of a target."""
    size = target.width, target.height
    if (picture.shape[1], picture.shape[0]) == size:
        return picture
    shrinks = size[0] <= picture.shape[1] and size[1] <= picture.shape[0]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return torch.from_numpy(cv2.resize(picture.numpy(), size, interpolation=interpolation))
