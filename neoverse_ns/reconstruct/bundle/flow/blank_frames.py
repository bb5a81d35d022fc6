"""Frames without any texture, black ones for instance: flow to and from them says nothing."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField, texture_confidence

BLANK = 0.01
"""Texture of a frame, as a share of the median frame's, below which it shows nothing."""


def without_blank_frames(field: FlowField, gray: list[UInt8[ndarray, "h w"]]) -> FlowField:
    """The field without pairs of blank frames, so that these are linked to nothing; all of it where all are blank."""
    texture = np.array([float(texture_confidence(image).mean()) for image in gray])
    seen = [frame for frame in range(len(gray)) if texture[frame] > BLANK * float(np.median(texture))]
    return field if len(seen) in (0, len(gray)) else field.between(seen)
