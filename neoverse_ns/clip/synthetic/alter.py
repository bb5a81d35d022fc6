"""The synthetic scene with something of it left out, moved or doubled: the truth of what edits shall show."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.clip.synthetic.solids import Motion, Solid, Vector

Alter = Callable[[list[Solid]], list[Solid]]
"""From the scene's solids to those rendered; textures, camera and light stay as they are."""


def without(things: Collection[int] = (), solids: Collection[int] = ()) -> Alter:
    """Leave out moving things by number, and any solids by their place in the list."""
    return lambda scene: [s for i, s in enumerate(scene) if i not in solids and (not s.thing or s.thing not in things)]


def moved(thing: int, offset: Vector) -> Alter:
    """Move a thing by `offset`, in scene units, at all times; it turns as before."""
    return lambda scene: [_shifted(s, offset) if s.thing == thing else s for s in scene]


def doubled(thing: int, offset: Vector, number: int) -> Alter:
    """Add a copy of a thing at `offset` from it, which bears a `number` of its own."""
    return lambda scene: [*scene, *(replace(_shifted(s, offset), thing=number) for s in scene if s.thing == thing)]


def _shifted(solid: Solid, offset: Vector) -> Solid:
    return replace(solid, pose=_after(solid.pose, offset))


def _after(pose: Motion, offset: Vector) -> Motion:
    def shifted(time: float) -> Float[Tensor, "4 4"]:
        there = pose(time).clone()
        there[:3, 3] += torch.tensor(offset, dtype=there.dtype)
        return there

    return shifted
