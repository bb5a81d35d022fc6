"""The moving things that the reconstruction told apart: what there are, and where they are seen."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.export.scene import ExportScene
from neoverse_ns.reconstruct.base import SceneGeometry

_OF_BOX = 0.3
"""Share of a box that a thing must fill for the box to be drawn around it."""


@dataclass(frozen=True)
class Thing:
    """One moving thing.

    Attributes:
        number: From 1.
        frames: Sampled frames whose region of it is known.
        pixels: Mean number of pixels in these.
        frame: The one that shows most of it.
        box: Left, top, right and bottom edge there, in pixels.
    """

    number: int
    frames: list[int]
    pixels: float
    frame: int
    box: tuple[int, int, int, int]


def list_things(scene: ExportScene) -> list[Thing]:
    """Every moving thing, the one that covers most first.

    Raises:
        SettingsError: Things were not told apart.
    """
    geometry, things = _known(scene)
    found = []
    for number in (n for n in torch.unique(things).tolist() if n > 0):
        masks = things == number
        counts = masks.flatten(1).sum(dim=1)
        most = int(counts.argmax())
        rows, columns = masks[most].nonzero().unbind(1)
        box = (int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
        shown = [frame for frame, count in zip(geometry.keyframes, counts.tolist(), strict=True) if count]
        found.append(Thing(number, shown, float(counts[counts > 0].float().mean()), geometry.keyframes[most], box))
    return sorted(found, key=lambda thing: -thing.pixels * len(thing.frames))


def thing_masks(scene: ExportScene, number: int) -> tuple[Float[Tensor, "k h w"], list[int]]:
    """Where a thing is seen, and the sampled frames that it is known of.

    Raises:
        SettingsError: There is no such thing, or things were not told apart.
    """
    geometry, things = _known(scene)
    masks = things == number
    if number < 1 or not bool(masks.any()):
        found = ", ".join(str(n) for n in torch.unique(things).tolist() if n > 0) or "none"
        raise SettingsError(f"there is no moving thing {number} in this scene; there are: {found} (--list-things)")
    return masks.float(), list(geometry.keyframes)


def thing_span(scene: ExportScene, number: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """First and last sampled frame that a thing is known in, and those that any could be: the outer keyframes.

    Raises:
        SettingsError: There is no such thing, or things were not told apart.
    """
    masks, keyframes = thing_masks(scene, number)
    shown = [frame for frame, mask in zip(keyframes, masks, strict=True) if bool(mask.any())]
    return (shown[0], shown[-1]), (keyframes[0], keyframes[-1])


def thing_at(scene: ExportScene, x: float, y: float, frame: int) -> int | None:
    """The moving thing that a pixel of a sampled frame shows; None where it shows none, or the frame is no keyframe."""
    geometry = None if scene.source is None else scene.source.geometry
    if geometry is None or geometry.things is None or frame not in geometry.keyframes:
        return None
    number = int(geometry.things[geometry.keyframes.index(frame), int(y), int(x)])
    return number or None


def _known(scene: ExportScene) -> tuple[SceneGeometry, Tensor]:
    geometry = None if scene.source is None else scene.source.geometry
    if geometry is None or geometry.things is None:
        raise SettingsError("moving things were not told apart in this scene: select by --mask, --box or --click")
    return geometry, geometry.things


def thing_in(scene: ExportScene, box: tuple[int, int, int, int], frame: int) -> int | None:
    """The moving thing that a box is drawn around: most of what moves in it, most of which lies in it; None if none."""
    geometry = None if scene.source is None else scene.source.geometry
    if geometry is None or geometry.things is None or frame not in geometry.keyframes:
        return None
    things = geometry.things[geometry.keyframes.index(frame)]
    left, top, right, bottom = (max(edge, 0) for edge in box)
    inside = torch.bincount(things[top:bottom, left:right].reshape(-1).long(), minlength=2)
    inside[0] = 0
    number = int(inside.argmax())
    count, area = int(inside[number]), max((right - left) * (bottom - top), 1)
    if count < _OF_BOX * area or count < 0.5 * int((things == number).sum()):
        return None
    return number
