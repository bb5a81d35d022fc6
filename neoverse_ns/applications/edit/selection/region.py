"""What the user said is to be edited, and the Gaussians that this means."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.applications.edit.composite import grown
from neoverse_ns.applications.edit.selection.grow import Box, grow_box, grow_click
from neoverse_ns.applications.edit.selection.mask_files import read_masks
from neoverse_ns.applications.edit.selection.segment import SegmentConfig, segment
from neoverse_ns.applications.edit.selection.selection import Selection, select
from neoverse_ns.applications.edit.selection.spread import spread
from neoverse_ns.applications.edit.selection.things import thing_at, thing_in, thing_masks
from neoverse_ns.errors import RunError, SettingsError
from neoverse_ns.export.scene import ExportScene

_PLACE = re.compile(r"\s*(-?[\d.]+(?:\s*,\s*-?[\d.]+)*)\s*(?:@\s*(\d+)\s*)?")


@dataclass(frozen=True)
class Region:
    """One of several ways to say what is meant.

    Attributes:
        thing: Number of a moving thing.
        mask: Image, folder or video, white where the thing is.
        mask_frame: The sampled frame that an image belongs to.
        box: Left, top, right and bottom edge in a sampled frame, pixels.
        click: A pixel of a sampled frame.
        frame: The sampled frame of box or click.
        whole_box: Take all of the box instead of the thing in it.
        segment: What it is, in words, for a segmentation model.
        model: Which one.
        expand: Pixels by which masks are widened.
    """

    thing: int | None = None
    mask: Path | None = None
    mask_frame: int | None = None
    box: Box | None = None
    click: tuple[float, float] | None = None
    frame: int = 0
    whole_box: bool = False
    segment: str | None = None
    model: SegmentConfig = field(default_factory=SegmentConfig)
    expand: float = 0.0

    def validate(self) -> None:
        """Raise SettingsError where it says nothing, or more than one thing."""
        named = {"thing": self.thing, "mask": self.mask, "box": self.box, "click": self.click, "segment": self.segment}
        given = [f"--{name}" for name, value in named.items() if value is not None]
        if len(given) != 1:
            raise SettingsError(
                "say what is to be edited by one of --thing, --mask, --box, --click, --segment"
                + (f"; {' and '.join(given)} were given" if given else " (--list-things lists what moves)")
            )
        if not 0 <= self.expand <= 200:
            raise SettingsError(f"masks can be widened by 0 to 200 pixels, got {self.expand:g}")


def parse_box(text: str) -> tuple[Box, int]:
    """`x0,y0,x1,y1@frame`; without a frame the first one.

    Raises:
        SettingsError: It is written otherwise, or empty.
    """
    numbers, frame = _numbers(text, 4, "--box", "x0,y0,x1,y1@frame")
    left, top, right, bottom = (round(n) for n in numbers)
    if left >= right or top >= bottom:
        raise SettingsError(f"--box {text} is empty: give left, top, right, bottom")
    return (left, top, right, bottom), frame


def parse_click(text: str) -> tuple[tuple[float, float], int]:
    """`x,y@frame`; without a frame the first one.

    Raises:
        SettingsError: It is written otherwise.
    """
    (x, y), frame = _numbers(text, 2, "--click", "x,y@frame")
    return (x, y), frame


def parse_mask(text: str) -> tuple[Path, int | None]:
    """A path, with `@frame` where an image belongs to another frame than the first."""
    path, at, frame = text.rpartition("@")
    if at and frame.isdigit() and not Path(text).exists():
        return Path(path), int(frame)
    return Path(text), None


def region_masks(scene: ExportScene, region: Region) -> tuple[Float[Tensor, "k h w"], list[int]]:
    """Where the region is seen, and in which sampled frames.

    Raises:
        SettingsError, RunError, WeightsError, PackageError: It cannot be found as asked.
    """
    region.validate()
    if scene.source is None:
        raise RunError("this scene has no frames: load it from its run to edit it")
    masks, frames = _found(scene, region)
    if region.expand:
        masks = torch.stack([grown(mask, 0.5, region.expand, 1e-6) for mask in masks])
    return masks, frames


def select_region(scene: ExportScene, region: Region) -> Selection:
    """The Gaussians that a region means; see :func:`region_masks` and
    :func:`neoverse_ns.applications.edit.selection.selection.select`.
    """
    return select(scene, *region_masks(scene, region))


def _found(scene: ExportScene, region: Region) -> tuple[Float[Tensor, "k h w"], list[int]]:
    assert scene.source is not None
    if region.thing is not None:
        return thing_masks(scene, region.thing)
    if region.segment is not None:
        return segment(scene, region.segment, region.model)
    if region.mask is not None:
        masks, frames = read_masks(region.mask, scene.source.clip, region.mask_frame)
        return (masks, frames) if len(frames) > 1 else spread(scene, masks[0] > 0.5, frames[0])
    if not 0 <= region.frame < len(scene.times):
        raise SettingsError(f"there is no sampled frame {region.frame}: they are 0 to {len(scene.times) - 1}")
    if region.click is not None:
        number = thing_at(scene, *region.click, region.frame)
        if number is not None:
            return thing_masks(scene, number)
        return spread(scene, grow_click(scene, *region.click, region.frame), region.frame)
    assert region.box is not None
    if region.whole_box:
        mask = torch.zeros(scene.cameras.height, scene.cameras.width, dtype=torch.bool)
        left, top, right, bottom = (max(edge, 0) for edge in region.box)
        mask[top:bottom, left:right] = True
        return spread(scene, mask, region.frame)
    number = thing_in(scene, region.box, region.frame)
    if number is not None:
        return thing_masks(scene, number)
    return spread(scene, grow_box(scene, region.box, region.frame), region.frame)


def _numbers(text: str, count: int, flag: str, form: str) -> tuple[list[float], int]:
    match = _PLACE.fullmatch(text)
    try:
        numbers = [float(part) for part in match[1].split(",")] if match else []
    except ValueError:
        numbers = []
    if match is None or len(numbers) != count:
        raise SettingsError(f"{flag} {text}: write {form}, in pixels of a sampled frame, counted from 0")
    return numbers, int(match[2] or 0)
