"""Edits applied to a scene's Gaussians."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
class EditedScene:
    """A scene after its edits.

    Attributes:
        gaussians: All of it.
        behind: The same without what was put somewhere.
        gone: Gaussians of the unedited scene that are no longer where they were, by layer.
        arrived: Gaussians of `gaussians` that were put somewhere, by layer.
        tints: Things that were recoloured in their place.
        masks: Where frames were said to show what is gone; 0 in frames of which nothing was said.
    """

    gaussians: LayeredGaussians
    behind: LayeredGaussians
    gone: dict[str, Bool[Tensor, " n"]]
    arrived: dict[str, Bool[Tensor, " n"]]
    tints: list[Tint]
    masks: Float[Tensor, "f h w"]


def apply_edits(scene: LayeredGaussians, edits: Sequence[tuple[Selection, Operation]]) -> EditedScene:
    """Apply edits, each to what it selected in the unedited scene.

    Raises:
        SettingsError: An edit cannot be done to this scene.
    """
    gone = {name: torch.zeros(len(layer), dtype=torch.bool) for name, layer in scene.items()}
    masks = torch.zeros_like(edits[0][0].masks)
    tints, put, rest = [], [], scene
    for selection, operation in edits:
        operation.validate()
        things = chosen(scene, selection.thing)
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
            put.append(_put(scene, things, selection, operation))
    behind = without(rest, gone)
    gaussians = behind
    for things in put:
        gaussians = joined(gaussians, things)
    arrived = {name: torch.arange(len(layer)) >= len(behind.layer(name)) for name, layer in gaussians.items()}
    return EditedScene(gaussians, behind, gone, arrived, tints, masks)


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
    scene: LayeredGaussians, things: LayeredGaussians, selection: Selection, operation: Operation
) -> LayeredGaussians:
    offset = None if operation.move is None else torch.tensor(operation.move, dtype=torch.float64)
    rotation = None if operation.rotate is None else rotation_of(operation.rotate)
    pivot = pivot_of(scene, selection.thing)
    if operation.scope == "global" or (operation.scope == "auto" and not _moves(things, pivot)):
        pivot = pivot.middle
    return placed(things, pivot, offset, rotation, operation.scale)


def _moves(things: LayeredGaussians, pivot: Pivot) -> bool:
    """Whether a thing goes somewhere, or only seems to because other parts of it are seen."""
    way = (pivot.points.amax(dim=0) - pivot.points.amin(dim=0)).norm()
    means = torch.cat([layer.means for layer in things.values()]).detach().double().cpu()
    size = (means.quantile(0.9, dim=0) - means.quantile(0.1, dim=0) - way.clamp_min(0)).norm()
    return bool(way > _ITS_WAY * size)
