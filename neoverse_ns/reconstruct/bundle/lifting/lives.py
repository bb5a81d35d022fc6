"""From when to when a keyframe's pixels stand for what they show, and where they go meanwhile.

What rests lives between the keyframes that carry everything. What moves looks different in every frame: it lives
between the nearest frames that were measured, and less long where its motion is a guess which the next frame
contradicts.
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
from neoverse_ns.geometry.projection import project
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.bundle.lifting.scene_flow import KeyframeFlow, Motion, Side, scene_flow

BESIDE = 7
"""Pixels (at 384 px width) beside what moves that are treated like it: masks end there or a little later, and what is
uncovered there looks different in every frame, too."""
BLUR = 3
"""Side in pixels of the window over which colours are averaged before they are compared."""
UNLIKE = 50.0
"""Difference in grey levels, mean of the channels, from which on two colours are not those of one thing."""
SHORTER = 0.75
"""Share of the way to a neighbouring keyframe that a guess lives which that keyframe contradicts."""

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
    side = 2 * max(1, round(BESIDE * moving.shape[1] / 384)) + 1
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
        guessed = moving & (motion.trust == 0)
        unlike = _contradicted(clip, geometry, number, side.other, points + motion.displacement)
        share = torch.where(guessed & unlike, SHORTER, 1.0)
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


def _contradicted(
    clip: Clip, geometry: SceneGeometry, number: int, other: int | None, there: Float[Tensor, "h w 3"]
) -> Bool[Tensor, "h w"]:
    """Pixels that would look clearly different from what a neighbouring keyframe shows where they are said to go."""
    height, width = there.shape[:2]
    if other is None:
        return torch.zeros(height, width, dtype=torch.bool)
    camera = geometry.cameras[[geometry.keyframes[other]]]
    uv, z = project(there.reshape(-1, 3), camera.viewmats[0], camera.K[0])
    column, row = uv.reshape(height, width, 2).unbind(-1)
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height) & (z.reshape(height, width) > 0)
    here, shown = (
        cv2.blur(clip.frames[geometry.keyframes[k]].numpy(), (BLUR, BLUR)).astype(np.float32) for k in (number, other)
    )
    found = cv2.remap(shown, column.numpy() - 0.5, row.numpy() - 0.5, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    unlike = np.abs(found - here).mean(-1) > UNLIKE
    return torch.from_numpy(unlike) & inside
