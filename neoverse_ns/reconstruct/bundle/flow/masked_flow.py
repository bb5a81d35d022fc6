"""Flow beside pixels that are no part of the world: they are filled smoothly first, and nothing near them is trusted.

An edge that stays put drags the flow beside it along, out to where the search no longer sees it. Filled with what lies
around it, it drags nothing.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from numpy import ndarray

from neoverse_ns.clip.clip import Clip
from neoverse_ns.reconstruct.bundle.depth.dense_solver import fill
from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField, landing

FILLED_BEYOND, DISTRUSTED_BEYOND = (1, 2), (4, 6)
"""Pixels around a mask that are filled with it, because scaling and compression have mixed them with what lies inside,
and in which flow is not believed: in small pictures, where a pixel is much, and from `LARGE` on."""
LARGE = 288
"""Width in pixels of a picture that is not small."""


def filled_frames(frames: UInt8[ndarray, "n h w 3"], ignored: Bool[ndarray, "n h w"]) -> UInt8[ndarray, "n h w 3"]:
    """Copies of the frames in which ignored pixels continue what lies around them.

    Frames of which nothing is left become grey.
    """
    result = frames.copy()
    for image, mask in zip(result, ignored, strict=True):
        if mask.any():
            _fill(image, grown(mask, FILLED_BEYOND[mask.shape[1] >= LARGE]))
    return result


def _fill(image: UInt8[ndarray, "h w 3"], mask: Bool[ndarray, "h w"]) -> None:
    if mask.all():
        image[:] = 128
        return
    rows, columns = np.nonzero(mask)
    known = torch.from_numpy((~mask).astype(np.float32))
    for channel in range(3):
        smooth = fill(torch.from_numpy(image[..., channel].astype(np.float32)), known).numpy()
        image[rows, columns, channel] = smooth[rows, columns].clip(0, 255).round().astype(np.uint8)


def without_trust(field: FlowField, ignored: Bool[ndarray, "n h w"]) -> FlowField:
    """The same flow, believed nowhere that it starts or ends near ignored pixels of either frame."""
    free = [(~distrusted(mask)).astype(np.float32) for mask in ignored]
    confidence: dict[tuple[int, int], Float[ndarray, "h w"]] = {}
    for (i, j), flow in field.flow.items():
        # What leaves the image is judged elsewhere.
        there = cv2.remap(free[j], *landing(flow), cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        confidence[i, j] = field.confidence[i, j] * free[i] * there
    return FlowField(field.flow, confidence)


def distrusted(ignored: Bool[ndarray, "h w"]) -> Bool[ndarray, "h w"]:
    """Ignored pixels, and those so near that nothing is believed there."""
    return grown(ignored, DISTRUSTED_BEYOND[ignored.shape[1] >= LARGE])


def trusted_in_world(field: FlowField, clip: Clip) -> FlowField:
    """`without_trust` for the pixels that a clip ignores; the same field where it ignores none."""
    return field if clip.ignored is None else without_trust(field, clip.ignored.numpy())


def grown(mask: Bool[ndarray, "h w"], pixels: int) -> Bool[ndarray, "h w"]:
    """The mask with everything up to so many pixels beside it."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1, 2 * pixels + 1))
    return cv2.dilate(mask.astype(np.uint8), disc) > 0
