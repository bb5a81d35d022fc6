"""Where what one keyframe shows is seen in another, and what is found there."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField, compose, landing

TRUSTED = 0.2
"""Confidence of flow from which on it is followed."""


@dataclass(frozen=True)
class Carried:
    """What one keyframe's pixels meet in another one.

    Attributes:
        labels: Label there; 0 where the way leaves the image.
        trust: In the way, in [0, 1].
    """

    labels: Int[ndarray, "h w"]
    trust: Float[ndarray, "h w"]


@dataclass(frozen=True)
class KeyframeFlows:
    """Flow between keyframes, which are counted from 0.

    Attributes:
        field: Measured flow, by position among the frames.
        keyframes: These positions.
    """

    field: FlowField
    keyframes: list[int]

    def between(self, a: int, b: int) -> tuple[Float[ndarray, "h w 2"], Float[ndarray, "h w"]] | None:
        """Flow from keyframe number `a` to number `b` and the trust in it; by way of those between where it was not
        measured directly; None where no way leads there."""
        pair = self.keyframes[a], self.keyframes[b]
        if pair in self.field.flow:
            return self.field.flow[pair], self.field.confidence[pair]
        if abs(a - b) < 2:
            return None
        step = 1 if b > a else -1
        first, rest = self.between(a, a + step), self.between(a + step, b)
        if first is None or rest is None:
            return None
        return compose(first[0], rest[0]), first[1] * cv2.remap(rest[1], *landing(first[0]), cv2.INTER_LINEAR)

    def carry(self, labels: Int[ndarray, "h w"], a: int, b: int) -> Carried | None:
        """The labels of keyframe number `b` that the pixels of number `a` land on; None where no way leads there."""
        way = self.between(a, b)
        if way is None:
            return None
        found, inside = land(labels, way[0])
        return Carried(found, way[1] * inside)


def land(
    labels: Int[ndarray, "h w"], flow: Float[ndarray, "h w 2"]
) -> tuple[Int[ndarray, "h w"], Bool[ndarray, "h w"]]:
    """What lies where flow leads, at the nearest pixel, and whether that is within the image; 0 outside."""
    height, width = labels.shape
    x, y = (np.rint(a).astype(np.int64) for a in landing(flow))
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return np.where(inside, labels[y.clip(0, height - 1), x.clip(0, width - 1)], 0), inside
