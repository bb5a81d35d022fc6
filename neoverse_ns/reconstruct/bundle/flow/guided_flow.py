"""Flow over steps too wide for a search from zero: matched points lead it most of the way.

The matches are spread to every pixel by moving least squares (Schaefer et al., "Image Deformation Using Moving Least
Squares", SIGGRAPH 2006, the affine case), the target is warped by that field, so that turns and changes of size are
gone, and ordinary flow finds the rest.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from neoverse_ns.reconstruct.bundle.flow.dense_flow import compose, landing, searcher

SPACING = 16
"""Pixels between the nodes at which the field is fitted; also the distance below which matches weigh the same."""
MOST_MATCHES = 600
"""More matches than this are thinned out: they only repeat each other."""
FALL_OFF = 1.5
"""Matches weigh by distance to the power of minus twice this; far from all matches one affine map is left."""


def spread_matches(
    first: Float[ndarray, "m 2"], second: Float[ndarray, "m 2"], shape: tuple[int, ...]
) -> Float[ndarray, "h w 2"]:
    """Displacement of every pixel that follows the matches around it.

    Args:
        first: Points of the image whose pixels are displaced, in array positions.
        second: Where they are in the other image.
        shape: Height and width.
    """
    thin = -(-len(first) // MOST_MATCHES)
    first, second = first[::thin].astype(np.float64), second[::thin].astype(np.float64)
    height, width = shape
    y, x = np.mgrid[0 : height + SPACING : SPACING, 0 : width + SPACING : SPACING].astype(np.float64)
    nodes = np.stack([x.ravel(), y.ravel()], 1)
    weights = (((nodes[:, None] - first) ** 2).sum(-1) + SPACING**2) ** -FALL_OFF
    weights /= weights.sum(1, keepdims=True)
    here, there = weights @ first, weights @ second
    # Weighted second moments around the weighted means; the tie to the identity decides where matches lie on a line.
    tie = np.eye(2) * (SPACING / 2) ** 2
    spread = (first[:, :, None] * first[:, None]).reshape(-1, 4)
    moment = (weights @ spread).reshape(-1, 2, 2) - here[:, :, None] * here[:, None]
    cross = (first[:, :, None] * second[:, None]).reshape(-1, 4)
    mixed = (weights @ cross).reshape(-1, 2, 2) - here[:, :, None] * there[:, None]
    affine = np.linalg.solve(moment + tie, mixed + tie)
    moved = np.einsum("gi,gij->gj", nodes - here, affine) + there
    field = (moved - nodes).reshape(*x.shape, 2).astype(np.float32)
    v, u = np.mgrid[:height, :width].astype(np.float32) / SPACING
    return cv2.remap(field, u, v, cv2.INTER_LINEAR)


def guided_flow(
    source: UInt8[ndarray, "h w"], target: UInt8[ndarray, "h w"], start: Float[ndarray, "h w 2"]
) -> Float[ndarray, "h w 2"]:
    """Flow from `source` to `target`, searched for around `start`."""
    x, y = landing(start)
    warped = cv2.remap(target, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return compose(searcher().calc(source, warped, np.zeros_like(start)), start)
