"""Ties between two inputs as near in time."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.evaluation.judges.views.task import Target, ViewTask
from neoverse_ns.evaluation.methods.repeat import Repeat


@pytest.mark.parametrize("fps", [7.0, 24.0, 29.97, 30.0])
def test_of_two_inputs_as_near_the_earlier_is_shown(fps: float, tmp_path: Path) -> None:
    count = 32
    seconds = torch.arange(0, 2 * count, 2, dtype=torch.float64) / fps
    frames = torch.arange(count, dtype=torch.uint8)[:, None, None, None].expand(count, 2, 2, 3).clone()
    clip = Clip(frames, torch.arange(count), seconds, tmp_path)
    span = float(seconds[-1])
    targets = tuple(Target(str(t), t / fps / span, None, None, 2, 2) for t in range(1, 2 * count - 2, 2))
    task = ViewTask("scene", clip, tuple(map(str, range(count))), None, targets, tmp_path)
    shown = [int(view.rgb[0, 0, 0]) for view in Repeat().answer(task).views]
    assert shown == list(range(count - 1))
