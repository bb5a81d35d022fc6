"""How much of the detail found is to be believed: measured on the clip itself, one size down."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neoverse_ns.applications.superres.config import SuperresConfig
from neoverse_ns.applications.superres.fuse import fuse
from neoverse_ns.applications.superres.sizes import Picture, enlarged, reduced
from neoverse_ns.applications.superres.surfaces import Surfaces

JUDGED = 4
"""Frames that are judged, evenly in time."""
SMALLEST = 16
"""Pixels that a side must have one size down for anything to be told."""


def believed(pictures: Sequence[Picture], surfaces: Surfaces, config: SuperresConfig) -> float:
    """Share of the detail that makes the error smallest where it can be measured, between 0 (bicubic) and 1.

    The frames are made small, enlarged again in the same way and compared with themselves. A clip whose frames do not
    fit together, or that is too noisy, loses by it, and stays bicubic.

    Args:
        pictures: All frames.
        surfaces: Of the same frames.
        config: See :class:`SuperresConfig`.
    """
    scale = config.scale
    height, width = (side // scale * scale for side in pictures[0].shape[:2])
    if min(height, width) // scale < SMALLEST:
        return 1.0
    judged = {round(i) for i in np.linspace(0, len(pictures) - 1, min(JUDGED, len(pictures)))}
    small = [reduced(picture[:height, :width], scale) for picture in pictures]
    fewer = surfaces.cropped(width, height).reduced(scale)
    along = length = 0.0
    for frame in sorted(judged):
        plain = enlarged(small[frame], scale)
        detail = fuse(small, fewer, frame, config) - plain
        along += float((detail * (pictures[frame][:height, :width] - plain)).sum(dtype=np.float64))
        length += float(np.square(detail).sum(dtype=np.float64))
    return 1.0 if length == 0 else min(max(along / length, 0.0), 1.0)
