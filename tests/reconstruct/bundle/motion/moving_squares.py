"""Squares that move before a still wall, with exact masks, depths and flow between keyframes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int
from numpy import ndarray

from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField
from neoverse_ns.reconstruct.bundle.motion.keyframe_flow import KeyframeFlows

H, W = 96, 128
SIDE = 80.0
"""Side of a square in pixels at depth 1."""


@dataclass(frozen=True)
class Square:
    """One thing.

    Attributes:
        columns: Image column of its middle in every keyframe.
        depths: How far it is.
        row: Image row of its middle.
    """

    columns: list[float]
    depths: list[float]
    row: float = 48.0

    def covers(self, place: int) -> ndarray:
        half = SIDE / self.depths[place] / 2
        y, x = np.mgrid[:H, :W]
        return (abs(x + 0.5 - self.columns[place]) < half) & (abs(y + 0.5 - self.row) < half)


@dataclass(frozen=True)
class Drawn:
    """What the keyframes show of them.

    Attributes:
        labels: Number of the square (from 1) that every pixel shows; 0 for the wall.
        images: Every square in a colour of its own.
        flows: Exact both ways, of all pairs of keyframes at most two apart; no trust where the target is hidden.
    """

    labels: Int[ndarray, "k h w"]
    images: list[torch.Tensor]
    flows: KeyframeFlows

    @property
    def moving(self) -> torch.Tensor:
        return torch.from_numpy(self.labels > 0)


def draw(squares: list[Square], count: int) -> Drawn:
    """Nearer squares hide farther ones."""
    labels = np.zeros((count, H, W), np.int32)
    for place in range(count):
        for number, square in sorted(enumerate(squares, 1), key=lambda item: -item[1].depths[place]):
            labels[place][square.covers(place)] = number
    random = np.random.default_rng(0)
    colours = random.integers(20, 235, (len(squares) + 1, 3))
    colours[0] = 128
    noisy = colours[labels] + random.integers(-8, 9, (count, H, W, 3))
    images = list(torch.from_numpy(noisy.astype(np.uint8)))
    keyframes, field = [3 * place + 1 for place in range(count)], FlowField()
    y, x = np.mgrid[:H, :W].astype(np.float32) + 0.5
    for a in range(count):
        for b in (a - 2, a - 1, a + 1, a + 2):
            if not 0 <= b < count:
                continue
            flow, trust = np.zeros((H, W, 2), np.float32), np.ones((H, W), np.float32)
            for number, square in enumerate(squares, 1):
                mine, ratio = labels[a] == number, square.depths[a] / square.depths[b]
                moved = [(x - square.columns[a]) * ratio + square.columns[b], (y - square.row) * ratio + square.row]
                flow[mine] = np.stack([moved[0] - x, moved[1] - y], -1)[mine]
            column, row = (x + flow[..., 0]).astype(int), (y + flow[..., 1]).astype(int)
            inside = (column >= 0) & (column < W) & (row >= 0) & (row < H)
            trust[~inside] = 0.0
            trust[labels[b][row.clip(0, H - 1), column.clip(0, W - 1)] != labels[a]] = 0.0
            field.flow[keyframes[a], keyframes[b]] = flow
            field.confidence[keyframes[a], keyframes[b]] = trust
    return Drawn(labels, images, KeyframeFlows(field, keyframes))
