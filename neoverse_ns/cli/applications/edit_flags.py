"""Flags that say what is edited, and how."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from neoverse_ns.errors import SettingsError

if TYPE_CHECKING:
    from neoverse_ns.applications.edit.config import Operation
    from neoverse_ns.applications.edit.selection.region import Region

_ONE_EDIT = (
    *("thing", "mask", "box", "whole_box", "click", "segment", "expand"),
    *("remove", "duplicate", "move", "rotate", "scale", "recolour", "scope"),
)
"""Flags that say what one edit is about and what it does."""


@dataclass(kw_only=True)
class EditFlags:
    """One edit, or a file of several."""

    thing: int | None = None
    """Edit a moving thing, by its number. One object may have several numbers in the list: --edits takes several."""
    mask: str | None = None
    """Edit what is white in a video, a folder with a mask for every frame, or an image (of the frame named behind it:
    mask.png@12; followed from there)."""
    box: str | None = None
    """Edit the thing in a box: x0,y0,x1,y1@frame."""
    whole_box: bool = False
    """Take all that the box holds."""
    click: str | None = None
    """Edit the thing or surface that a pixel shows: x,y@frame."""
    segment: str | None = None
    """Edit what words name, as in 'white car', found by a segmentation model on this machine (extra `depth`)."""
    segment_model: str = "CIDAS/clipseg-rd64-refined"
    """Folder of the segmentation model, or its id in the hub's local cache."""
    segment_threshold: float = 0.4
    """Probability from which on a pixel belongs to what was named; the lower, the more is taken."""
    expand: float = 0.0
    """Pixels by which the region is widened, as for a shadow beside the thing."""
    edits: Path | None = None
    """Several edits from a JSON file, in the place of all flags that say what is edited and how
    (docs/applications/edit.md)."""
    remove: bool = False
    """Take the thing away; what lies behind comes from other frames and the scene, the rest from the refiner."""
    duplicate: bool = False
    """Leave the thing, and do all else to a copy."""
    move: tuple[float, float, float] | None = None
    """Move it to the right, down and ahead, seen from the first camera, in the unit that --unit says."""
    rotate: tuple[float, float, float] | None = None
    """Turn it about the same axes, degrees: 0 90 0 is a quarter turn about the vertical."""
    scale: float = 1.0
    """Times its size."""
    recolour: str | None = None
    """Its colour, as in red or #c01020; light and texture stay."""
    scope: Literal["auto", "global", "frame"] = "auto"
    """What it turns and grows about: `frame`, its own middle at every moment; `global`, the middle of its whole way;
    `auto` takes the former for what moves."""

    def wanted(self, prompt: str) -> list[tuple[Region, Operation]]:
        """What is to be done to what, checked.

        Args:
            prompt: See :meth:`repaints`.

        Raises:
            SettingsError: It is none, or more than one thing.
        """
        from neoverse_ns.applications.edit.config import Operation
        from neoverse_ns.applications.edit.edits_file import parse_colour, read_edits
        from neoverse_ns.applications.edit.selection.region import Region, parse_box, parse_click, parse_mask
        from neoverse_ns.applications.edit.selection.segment import SegmentConfig

        model = SegmentConfig(self.segment_model, self.segment_threshold)
        if self.edits is not None:
            self._check_alone()
            return read_edits(self.edits, model)
        region = Region(self.thing, segment=self.segment, model=model, whole_box=self.whole_box, expand=self.expand)
        if self.mask is not None:
            path, frame = parse_mask(self.mask)
            region = dataclasses.replace(region, mask=path, mask_frame=frame)
        if self.box is not None:
            box, frame = parse_box(self.box)
            region = dataclasses.replace(region, box=box, frame=frame)
        if self.click is not None:
            click, frame = parse_click(self.click)
            region = dataclasses.replace(region, click=click, frame=frame)
        region.validate()
        colour = None if self.recolour is None else parse_colour(self.recolour)
        operation = Operation(self.remove, self.duplicate, self.move, self.rotate, self.scale, colour, self.scope)
        wanted = [(region, operation)]
        if not self.repaints(wanted, prompt):
            operation.validate()
        return wanted

    def _check_alone(self) -> None:
        """Whether flags name an edit beside those of the file, which would be ignored."""
        given = [name for name in _ONE_EDIT if getattr(self, name) != getattr(EditFlags, name)]
        if given:
            flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
            raise SettingsError(f"--edits says what is edited and how: put {flags} into its file, or leave --edits out")

    def repaints(self, wanted: list[tuple[Region, Operation]], prompt: str) -> bool:
        """Whether nothing but a prompt says what becomes of the region, so that it is painted anew after it."""
        from neoverse_ns.applications.edit.config import Operation
        from neoverse_ns.generate.base import DEFAULT_PROMPT

        plain = self.edits is None and wanted[0][1] == Operation(scope=wanted[0][1].scope)
        return plain and prompt != DEFAULT_PROMPT
