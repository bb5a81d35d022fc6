"""A scene's held-out frames never show what a training frame shows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.reconstruct import scene as module
from neoverse_ns.reconstruct.scene import divide
from tests.clip.moving_pictures import pan


def as_clip(images: list[np.ndarray]) -> Clip:
    count = len(images)
    return Clip(torch.from_numpy(np.stack(images)), torch.arange(count), torch.arange(count).double() / 8, Path("a"))


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(module, "warn", lines.append)
    return lines


def test_frames_that_repeat_train(said: list[str]) -> None:
    images = pan(70, [3.0 * i for i in range(17)])
    images[5] = images[4]
    split = divide(as_clip(images), None, 8)
    assert split.held_out == [3, 12]
    assert not said


def test_of_one_picture_nothing_is_held_out_and_that_is_said(said: list[str]) -> None:
    rng = np.random.default_rng(0)
    still = pan(71, [0.0])[0]
    # As compression leaves a frozen picture: a level up or down here and there.
    images = [np.clip(still + (rng.random(still.shape) < 0.05), 0, 255).astype(np.uint8) for _ in range(17)]
    split = divide(as_clip(images), None, 8)
    assert split.held_out == []
    assert split.train == list(range(17))
    assert len(said) == 1
    assert "none is held out" in said[0]
    assert divide(as_clip(images), None, 0).held_out == []
    assert len(said) == 1
