"""One focal length for a folder of photographs, where they agree."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from neoverse_ns.clip.focal.hint import SourceFocal
from neoverse_ns.clip.focal.photo import photo_focal

# Stated focal lengths closer than this are one: equivalents are whole millimetres.
_SAME = 1.04


def photos_focal(photos: Sequence[Path], notes: list[str]) -> SourceFocal | None:
    """The focal length that photographs of one size agree on; None where they tell none, or differ.

    Args:
        photos: Files of images, all of one size.
        notes: Told where the lens was zoomed or changed between them.
    """
    stated = {path.name: found for path in photos if (found := photo_focal(path)) is not None}
    if not stated:
        return None
    ordered = sorted(stated, key=lambda name: stated[name].pixels)
    shortest, longest = stated[ordered[0]], stated[ordered[-1]]
    if longest.pixels > _SAME * shortest.pixels:
        notes.append(
            f"the photos' focal lengths differ by {longest.pixels / shortest.pixels:.2f} times ({ordered[0]}: "
            f"{shortest.origin}; {ordered[-1]}: {longest.origin}): one camera is assumed, so keep photos of one zoom"
        )
        return None
    middle = stated[ordered[len(ordered) // 2]]
    pixels = float(np.median([found.pixels for found in stated.values()]))
    return SourceFocal(pixels, middle.uncertainty, middle.origin)
