"""Edits applied to a scene's Gaussians."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from neoverse_ns.applications.edit.config import Operation
from neoverse_ns.applications.edit.operations import (
    Rows,
    brightness_of,
    chosen,
    joined,
    placed,
    recoloured,
    rotation_of,
    tint,
    without,
)
from neoverse_ns.applications.edit.pivot import Pivot, pivot_of
from neoverse_ns.applications.edit.selection.selection import Selection
from neoverse_ns.gaussians.layers import LayeredGaussians

_ITS_WAY = 0.25
"""Way of a thing's middle, over its size, from which on it moves."""


@dataclass(frozen=True)
class Tint:
    """What shows these Gaussians of the unedited scene has its colours mapped.

    Attributes:
        rows: By layer.
        colours: Linear map of RGB.
    """

    rows: Rows
    colours: Float64[Tensor, "3 3"]


@dataclass(frozen=True)
class Put:
    """Something that was put somewhere.

    Attributes:
        rows: Its Gaussians in the edited scene, by layer.
        source: The Gaussians of the unedited scene that it was made from, by layer.
        pivot: What it was turned and scaled about.
        offset: What it was moved by, world units.
        rotation: What it was turned by.
        scale: Times its size.
        colours: Linear map of RGB, where it was recoloured.
    """

    rows: Mapping[str, Bool[Tensor, " m"]]
    source: Mapping[str, Bool[Tensor, " n"]]
    pivot: Pivot
    offset: Float64[Tensor, "3"]
    rotation: Float64[Tensor, "3 3"]
    scale: float
    colours: Float64[Tensor, "3 3"] | None = None

    def before(self, points: Float64[Tensor, "m 3"], time: float) -> Float64[Tensor, "m 3"]:
        """Where points of it were in the unedited scene at the same time."""
        c = self.pivot.at(torch.tensor([time]))[0]
        return (points - self.offset - c) @ self.rotation / self.scale + c


@dataclass(frozen=True)
class EditedScene:
    """A scene after its edits.

    Attributes:
        gaussians: All of it.
        behind: The same without what was put somewhere.
        gone: Gaussians of the unedited scene that are no longer where they were, by layer.
        put: What was put somewhere.
        tints: Things that were recoloured in their place.
        masks: Where frames were said to show what is gone; 0 in frames of which nothing was said.
    """

    gaussians: LayeredGaussians
    behind: LayeredGaussians
    gone: dict[str, Bool[Tensor, " n"]]
    put: list[Put]
    tints: list[Tint]
    masks: Float[Tensor, "f h w"]


def apply_edits(scene: LayeredGaussians, edits: Sequence[tuple[Selection, Operation]]) -> EditedScene:
    """Apply edits, each to what it selected in the unedited scene.

    Raises:
        SettingsError: An edit cannot be done to this scene.
    """
    gone = {name: torch.zeros(len(layer), dtype=torch.bool) for name, layer in scene.items()}
    masks = torch.zeros_like(edits[0][0].masks)
    tints: list[Tint] = []
    put: list[tuple[LayeredGaussians, Put]] = []
    rest = scene
    for selection, operation in edits:
        operation.validate()
        things, colours = chosen(scene, selection.thing), None
        if operation.recolour is not None:
            colours = tint(torch.tensor(operation.recolour), brightness_of(things))
            things = recoloured(things, colours)
            if not (operation.places or operation.duplicate):
                tints.append(Tint(selection.thing, colours))
                rest = _in_place(rest, selection.thing, colours)
        if operation.vacates:
            gone = {name: rows | selection.touched.get(name, rows) for name, rows in gone.items()}
            masks = torch.maximum(masks, selection.masks)
        if operation.places:
            put.append(_put(scene, things, selection, operation, colours))
    behind = without(rest, gone)
    gaussians, starts = behind, []
    for things, _ in put:
        starts.append({name: len(gaussians.layer(name)) for name in things})
        gaussians = joined(gaussians, things)
    everywhere = []
    for start, (things, one) in zip(starts, put, strict=True):
        rows = {}
        for name, layer in things.items():
            place = torch.arange(len(gaussians.layer(name)))
            rows[name] = (place >= start[name]) & (place < start[name] + len(layer))
        everywhere.append(replace(one, rows=rows))
    return EditedScene(gaussians, behind, gone, everywhere, tints, masks)


def _in_place(scene: LayeredGaussians, rows: Rows, colours: Float64[Tensor, "3 3"]) -> LayeredGaussians:
    changed = recoloured(scene, colours)
    return LayeredGaussians(
        {
            name: layer.with_(sh=torch.where(rows[name].to(layer.device)[:, None, None], changed[name].sh, layer.sh))
            if name in rows
            else layer
            for name, layer in scene.items()
        }
    )


def _put(
    scene: LayeredGaussians,
    things: LayeredGaussians,
    selection: Selection,
    operation: Operation,
    colours: Float64[Tensor, "3 3"] | None,
) -> tuple[LayeredGaussians, Put]:
    offset = torch.tensor(operation.move or (0.0, 0.0, 0.0), dtype=torch.float64)
    rotation = None if operation.rotate is None else rotation_of(operation.rotate)
    pivot = pivot_of(scene, selection.thing)
    if operation.scope == "global" or (operation.scope == "auto" and not _moves(things, pivot)):
        pivot = pivot.middle
    turn = torch.eye(3, dtype=torch.float64) if rotation is None else rotation
    made = placed(things, pivot, offset, rotation, operation.scale)
    return made, Put({}, selection.thing, pivot, offset, turn, operation.scale, colours)


def _moves(things: LayeredGaussians, pivot: Pivot) -> bool:
    """Whether a thing goes somewhere, or only seems to because other parts of it are seen."""
    way = (pivot.points.amax(dim=0) - pivot.points.amin(dim=0)).norm()
    means = torch.cat([layer.means for layer in things.values()]).detach().double().cpu()
    size = (means.quantile(0.9, dim=0) - means.quantile(0.1, dim=0) - way.clamp_min(0)).norm()
    return bool(way > _ITS_WAY * size)
