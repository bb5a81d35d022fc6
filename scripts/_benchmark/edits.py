"""Edits of a run of the demo's yard against the yard with the edit truly made."""

from __future__ import annotations

import statistics
import time
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from _benchmark.edit_truth import TrueFrames, true_cameras, true_frames, true_things
from neoverse_ns.applications.edit.config import Operation, Vector
from neoverse_ns.applications.edit.edit import EditConfig, EditResult, edit
from neoverse_ns.applications.edit.selection.selection import Selection, select
from neoverse_ns.applications.edit.selection.things import thing_masks
from neoverse_ns.clip.synthetic.alter import Alter, doubled, moved, without
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.geometry.alignment import Sim3, align_sim3
from neoverse_ns.metrics.image import psnr
from neoverse_ns.reconstruct.base import SceneGeometry

OFFSET: Vector = (0.5, -0.3, -0.2)
"""Of moved and doubled things, in the yard's units, about 8 % of the median depth: right, up, nearer."""
LEAST_PIXELS = 24
"""Pixels of a region in a frame from which on the frame counts."""
AROUND = 13
"""Pixels across which a region is widened before what lies outside must be untouched."""
_TELEA = 5
_COPY = 9


class EditedRun:
    """A run of the yard, edited in several ways.

    Args:
        scene: Loaded from the run.
        seed: Of the yard.
        config: How edits become frames.
        every: Of so many frames one is compared with the truth.
    """

    def __init__(self, scene: ExportScene, seed: int, config: EditConfig, every: int = 1) -> None:
        self._scene, self._seed, self._config = scene, seed, config
        self._count = len(scene.times)
        self._frames = list(range(every // 2, self._count, every))
        self._known: dict[str, TrueFrames] = {}
        own = true_cameras(self._count, scene.cameras.width, scene.cameras.height, seed)
        self._world: Sim3 = align_sim3(own.c2w[:, :3, 3], scene.cameras.c2w[:, :3, 3])
        self._things = true_things(self._count, scene.cameras.width, scene.cameras.height, seed)
        assert scene.source is not None
        self._images = scene.source.clip.images[self._frames]

    def measure(self, thing: int, exact: bool) -> dict[str, Any]:
        """Remove, move and double a thing.

        Args:
            thing: Its number in the yard.
            exact: Select by its true mask in every frame instead of what the reconstruction found.
        """
        everywhere = self._things == thing
        there = everywhere[self._frames]
        masks, frames, found = everywhere.float(), list(range(self._count)), 1.0
        if not exact:
            masks, frames, found = self._own_masks(everywhere)
        started = time.process_time()
        selection = select(self._scene, masks, frames)
        selected = time.process_time() - started
        shift = (self._world.scale * (self._world.R @ torch.tensor(OFFSET, dtype=torch.float64))).tolist()
        move: Vector = (shift[0], shift[1], shift[2])
        return {
            "selection": {"iou": found, "seconds": selected, "gaussians": selection.count},
            "remove": self._remove(selection, thing, there),
            "move": self._place(selection, Operation(move=move), moved(thing, OFFSET), there, thing),
            "duplicate": self._place(
                selection, Operation(duplicate=True, move=move), doubled(thing, OFFSET, _COPY), there, thing
            ),
        }

    def _own_masks(self, there: Bool[Tensor, "f h w"]) -> tuple[Float[Tensor, "k h w"], list[int], float]:
        """Those of the thing of the reconstruction that overlaps most, their frames, and their IoU with the truth."""
        assert self._scene.source is not None
        geometry: SceneGeometry = self._scene.source.geometry
        assert geometry.things is not None
        true = there[geometry.keyframes]
        numbers = torch.bincount(geometry.things[true].long(), minlength=2)
        numbers[0] = 0
        masks, frames = thing_masks(self._scene, int(numbers.argmax()))
        both, either = (masks > 0) & true, (masks > 0) | true
        return masks, frames, float(both.sum() / either.sum())

    def _truth(self, name: str, alter: Alter) -> TrueFrames:
        if name not in self._known:
            size = self._scene.cameras.width, self._scene.cameras.height
            self._known[name] = true_frames(self._count, *size, self._frames, alter, self._seed)
        return self._known[name]

    def _frames_of(self, result: EditResult) -> Float[Tensor, "m h w 3"]:
        return result.frames[self._frames].float() / 255

    def _remove(self, selection: Selection, thing: int, there: Bool[Tensor, "m h w"]) -> dict[str, Any]:
        truth = self._truth(f"without {thing}", without(things=[thing]))
        result = edit(self._scene, [(selection, Operation(remove=True))], self._config)
        telea = torch.stack([_telea(image, mask) for image, mask in zip(self._images, there, strict=True)])
        ours, theirs = fidelity(self._frames_of(result), truth.rgb, there), fidelity(telea, truth.rgb, there)
        return {"db": ours, "telea": theirs, "gain": ours - theirs, "outside": self._outside(result, there)}

    def _place(
        self, selection: Selection, operation: Operation, alter: Alter, there: Bool[Tensor, "m h w"], thing: int
    ) -> dict[str, Any]:
        truth = self._truth(f"{operation.duplicate} {thing}", alter)
        result = edit(self._scene, [(selection, operation)], self._config)
        put = truth.things == (_COPY if operation.duplicate else thing)
        changed = put if operation.duplicate else put | there
        return {
            "db": fidelity(self._frames_of(result), truth.rgb, changed),
            "iou": silhouette(result.composed.arrived[self._frames], put),
            "outside": self._outside(result, changed),
        }

    def _outside(self, result: EditResult, region: Bool[Tensor, "m h w"]) -> float:
        """The worst frame against the clip's own, away from the edit; 100 where nothing changed."""
        frames, values = self._frames_of(result), []
        for ours, own, mask in zip(frames, self._images, region, strict=True):
            values.append(min(psnr(ours, own, ~_wider(mask, AROUND)), 100.0))
        return min(values)


def fidelity(frames: Float[Tensor, "f h w 3"], truth: Float[Tensor, "f h w 3"], region: Bool[Tensor, "f h w"]) -> float:
    """Mean PSNR inside a region over the frames that show it."""
    shown = [i for i in range(len(region)) if int(region[i].sum()) >= LEAST_PIXELS]
    return statistics.fmean(psnr(frames[i], truth[i], region[i]) for i in shown)


def silhouette(shares: Float[Tensor, "f h w"], truth: Bool[Tensor, "f h w"]) -> float:
    """Mean intersection over union of outlines over the frames that show it."""
    values = []
    for share, true in zip(shares > 0.5, truth, strict=True):
        if int(true.sum()) >= LEAST_PIXELS:
            values.append(float((share & true).sum() / (share | true).sum()))
    return statistics.fmean(values)


def _wider(mask: Bool[Tensor, "h w"], by: int) -> Bool[Tensor, "h w"]:
    return torch.from_numpy(cv2.dilate(mask.numpy().astype(np.uint8), np.ones((by, by), np.uint8)) > 0)


def _telea(image: Float[Tensor, "h w 3"], mask: Bool[Tensor, "h w"]) -> Float[Tensor, "h w 3"]:
    """The frame inpainted by itself, the thing's antialiased outline included."""
    hole = _wider(mask, _TELEA).numpy().astype(np.uint8)
    picture = (image.numpy() * 255).round().astype(np.uint8)
    return torch.from_numpy(cv2.inpaint(picture, hole, 3.0, cv2.INPAINT_TELEA)).float() / 255
