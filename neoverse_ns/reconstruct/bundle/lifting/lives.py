"""From when to when a keyframe's pixels stand for what they show, and where they go meanwhile.

What rests lives between the keyframes that carry everything. What moves looks different in every frame: it lives
between the nearest frames that were measured, and only half the way to one in which its thing is not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.bundle.lifting.scene_flow import KeyframeFlow, Motion, Side, scene_flow

BESIDE = 7
"""Pixels beside what moves that are treated like it: masks end there or a little later, and what is uncovered there
looks different in every frame, too."""
THERE = 0.2
"""Share of its pixels that a thing must have in the neighbouring keyframe to be there."""

Flows = dict[tuple[int, int], KeyframeFlow]
"""Flow between keyframes, by sampled-frame positions (from, to)."""


@dataclass(frozen=True)
class Lives:
    """Of every pixel of a keyframe.

    Attributes:
        motions: Toward the next and the previous end of its life.
        interval: Begin, the keyframe's time, end.
        lost: Moving pixels of which a measured flow is not trusted.
    """

    motions: tuple[Motion, Motion]
    interval: Float[Tensor, "h w 3"]
    lost: Bool[Tensor, "h w"]

    def where(self, first: Bool[Tensor, "h w"], other: Lives) -> Lives:
        """These where `first` is true, `other`'s elsewhere."""
        motions = [
            Motion(torch.where(first[..., None], a.displacement, b.displacement), torch.where(first, a.trust, b.trust))
            for a, b in zip(self.motions, other.motions, strict=True)
        ]
        interval = torch.where(first[..., None], self.interval, other.interval)
        return Lives((motions[0], motions[1]), interval, torch.where(first, self.lost, other.lost))


def beside_motion(moving: Bool[Tensor, "h w"]) -> Bool[Tensor, "h w"]:
    """What moves, and what lies beside it."""
    side = 2 * BESIDE + 1
    return torch.from_numpy(cv2.dilate(moving.numpy().astype(np.uint8), np.ones((side, side), np.uint8)) > 0)


def lives_between(
    clip: Clip,
    geometry: SceneGeometry,
    number: int,
    points: Float[Tensor, "h w 3"],
    flows: Flows,
    order: Sequence[int],
    min_confidence: float,
) -> Lives:
    """Lives of a keyframe's pixels between its neighbours among some keyframes.

    Args:
        clip: Only the keyframe's pixels and the times are read.
        geometry: Cameras, depth, motion masks and things of the keyframes.
        number: The keyframe.
        points: Where its pixels are in the world.
        flows: Between keyframes.
        order: Numbers of the keyframes to live between, ascending, `number` among them.
        min_confidence: Flow of less confidence is not trusted.
    """
    frame = geometry.keyframes[number]
    sides = _sides(clip, geometry, number, order, flows)
    motions = scene_flow(geometry, number, points, clip.frames[frame], sides, min_confidence)
    time, moving = float(clip.times[frame]), geometry.dynamic[number]
    lost = torch.zeros_like(moving)
    ends: list[Float[Tensor, "h w"]] = []
    kept: list[Motion] = []
    for side, motion in zip(sides, motions, strict=True):
        if side.flow is not None:
            lost |= moving & (motion.trust == 0)
        share = torch.where(_gone(geometry, number, side.other), 0.5, 1.0)
        kept.append(Motion(share[..., None] * motion.displacement, motion.trust))
        # Exactly the neighbour's time where nothing is gone: there nothing of it may be left.
        ends.append(torch.where(share == 1, side.time, time + share * (side.time - time)))
    interval = torch.stack([ends[1], torch.full_like(ends[0], time), ends[0]], -1)
    return Lives((kept[0], kept[1]), interval, lost)


def _sides(clip: Clip, geometry: SceneGeometry, number: int, order: Sequence[int], flows: Flows) -> tuple[Side, Side]:
    """Toward the next and the previous of the keyframes `order`."""
    frames, place = geometry.keyframes, order.index(number)
    moments = [float(clip.times[frame]) for frame in frames]
    beside = [order[k] if 0 <= k < len(order) else None for k in (place + 1, place - 1)]
    gaps = [None if other is None else abs(moments[other] - moments[number]) for other in beside]
    sides: list[Side] = []
    for other, gap, opposite, sign in zip(beside, gaps, gaps[::-1], (1, -1), strict=True):
        if other is None or gap is None:
            # At the clip's ends the interval is mirrored, so that it always has a length.
            length = opposite or 1.0
            sides.append(Side(None, moments[number] + sign * length, length, None))
        else:
            sides.append(Side(other, moments[other], gap, flows.get((frames[number], frames[other]))))
    return sides[0], sides[1]


def _gone(geometry: SceneGeometry, number: int, other: int | None) -> Bool[Tensor, "h w"]:
    """Pixels of things that a neighbouring keyframe does not show."""
    gone = torch.zeros_like(geometry.dynamic[number])
    if geometry.things is None or other is None:
        return gone
    here, there = geometry.things[number], geometry.things[other]
    for thing in here.unique().tolist():
        mask = here == thing
        if thing > 0 and int((there == thing).sum()) < THERE * int(mask.sum()):
            gone |= mask
    return gone
