"""A region known in one frame, carried to all keyframes by the Gaussians that show it there."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.applications.edit.layers_shown import view_of
from neoverse_ns.applications.edit.selection.shares import contributions, moment
from neoverse_ns.console import progress
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.gaussians.instant import GaussiansAtTime
from neoverse_ns.gaussians.layers import FRAMES
from neoverse_ns.rasterize import rasterize
from neoverse_ns.trajectory.moves.follow import means_at

_HALF = 0.5
_COVERED = 0.3
"""Opacity from which on the Gaussians of another keyframe say what a pixel shows."""


def spread(
    scene: ExportScene, mask: Bool[Tensor, "h w"], frame: int
) -> tuple[Float[Tensor, "k h w"], list[int]]:  # masks, and the sampled frames they belong to
    """Masks of the same thing in every keyframe.

    Gaussians that show it in the frame are moved to the next keyframe by their own motion; the pixels they make up
    there tell that keyframe's Gaussians, and so on, forward and back. What comes into view meanwhile is taken with it
    only as far as it lies between parts that were seen before.

    Args:
        scene: With what it was made from.
        mask: Of the thing.
        frame: The sampled frame it was given for.
    """
    assert scene.source is not None
    geometry = scene.source.geometry
    whole = [geometry.keyframes.index(k) for k in scene.source.split.keyframes]
    start = min(whole, key=lambda k: abs(geometry.keyframes[k] - frame))
    chain = _Chain(scene, geometry.keyframes)
    found = {frame: mask.float()}
    with progress("following the region through the clip", len(whole)) as steps:
        first = chain.rows_shown(mask.float(), frame)
        at = geometry.keyframes[start]
        # The keyframe nearest to the frame is alive there, so its own Gaussians tell the region directly.
        seed = chain.carried(first, start, start) if at != frame else mask.float()
        found[at] = seed
        rows = chain.rows_shown(seed, at)
        steps.advance()
        place = whole.index(start)
        labels = {start: rows}
        for way in (whole[place + 1 :], whole[:place][::-1]):
            last = start
            for k in way:
                here = chain.carried(labels[last], last, k)
                found[geometry.keyframes[k]] = here
                labels[k], last = chain.rows_shown(here, geometry.keyframes[k]), k
                steps.advance()
    for k in range(len(geometry.keyframes)):
        if k not in labels and geometry.keyframes[k] != frame:
            # Keyframes of what moves alone do not show what stands still: whole ones beside them do.
            near = min(whole, key=lambda other: abs(geometry.keyframes[other] - geometry.keyframes[k]))
            found[geometry.keyframes[k]] = chain.carried(labels[near], near, k)
    frames = sorted(found)
    return torch.stack([found[i] for i in frames]), frames


class _Chain:
    """Labels of the keyframes' own Gaussians, handed on from one to the next."""

    def __init__(self, scene: ExportScene, keyframes: list[int]) -> None:
        self._scene, self._keyframes = scene, keyframes

    def rows_shown(self, mask: Float[Tensor, "h w"], frame: int) -> Bool[Tensor, " n"]:
        """Gaussians that mostly show the mask in a frame."""
        now = moment(self._scene, FRAMES, frame)
        inside, total = contributions(self._scene, now, frame, torch.stack([mask, torch.ones_like(mask)], -1)).unbind(
            -1
        )
        rows = torch.zeros(len(self._scene.gaussians.frames), dtype=torch.bool)
        rows[now.index.cpu()] = (inside > _HALF * total).cpu() & (total > 0).cpu()
        return rows

    @torch.no_grad()
    def carried(self, rows: Bool[Tensor, " n"], number: int, to: int) -> Float[Tensor, "h w"]:
        """Where the chosen Gaussians of keyframe `number` lie in keyframe `to`, by what is in front there."""
        gaussians, frame = self._scene.gaussians.frames, self._keyframes[to]
        own = (gaussians.keyframe == number).nonzero()[:, 0]
        there = means_at(gaussians, own, float(self._scene.times[frame]))
        now = GaussiansAtTime(
            there, gaussians.quats[own], gaussians.scales[own], gaussians.opacities[own], gaussians.sh[own], own
        )
        marked = rows.to(own.device)[own].to(there)[:, None]
        picture, alpha, _ = rasterize(
            *(now.means, now.quats, now.scales, now.opacities, marked),
            *view_of(self._scene.cameras[[frame]], there),
            render_mode="RGB",
            rasterize_mode=self._scene.options.rasterize_mode,
        )
        share, covered = picture[0, ..., 0].cpu(), alpha[0, ..., 0].cpu()
        return cleaned((share > _HALF * covered) & (covered > _COVERED)).float()


def cleaned(mask: Bool[Tensor, "h w"]) -> Bool[Tensor, "h w"]:
    """Without specks, and without pinholes."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    closed = cv2.morphologyEx(mask.numpy().astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, kernel)
    return torch.from_numpy(opened > 0) if opened.any() else torch.from_numpy(closed > 0)
