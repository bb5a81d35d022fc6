"""Which pixels of a keyframe move on their own: flow that no depth of a rigid scene explains."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.reconstruct.bundle.depth import Views

NOISE_FLOOR = 0.4
"""Flow is never trusted to be more precise than this, pixels."""
FLOW_SHARE = 0.03
"""Part of a displacement's length by which flow is expected to err."""
PLAIN, TEXTURED = 0.1, 0.3
"""Texture up to which flow is no evidence of motion, and from which it counts fully."""
DOUBT = 0.1
"""Weight of the assumption that nothing moves, against the summed confidence of all views."""
OPENING, CLOSING = 3, 7
"""Diameters in pixels (at 384 px width) of specks that are dropped and of gaps that are closed."""


def moving_pixels(
    views: Views, depth: Float[Tensor, "h w"], texture: Float[Tensor, "h w"], threshold: float
) -> Bool[Tensor, "h w"]:
    """Mask of the pixels whose flow differs from the rigid prediction by more than noise in most views.

    Args:
        views: Flow evidence of the keyframe.
        depth: Its depth.
        texture: How much there is to follow, in [0, 1]; flow of plain surfaces is no evidence of motion.
        threshold: In multiples of the noise; half of it suffices next to pixels above it.
    """
    score = motion_score(views, depth) * ((texture - PLAIN) / (TEXTURED - PLAIN)).clamp(0, 1)
    return torch.from_numpy(_hysteresis(score.numpy(), threshold))


def motion_score(views: Views, depth: Float[Tensor, "h w"]) -> Float[Tensor, "h w"]:
    """Residual of flow over its noise, averaged over the views that see the pixel; towards 0 where none is trusted."""
    error, _ = views.linearise(1 / depth)
    size = error.norm(dim=1)
    static = views.focal * (views.base[:, :2] / views.base[:, 2:].clamp_min(0.05) - views.seen).norm(dim=1)
    believed = views.weights > 0.3
    scores = []
    for k in range(len(size)):
        inside = size[k][believed[k]]
        middle = float(inside.median()) if inside.numel() else 0.0
        scores.append(size[k] / (max(NOISE_FLOOR, 1.5 * middle) + FLOW_SHARE * static[k]))
    return (torch.stack(scores) * views.weights).sum(0) / (views.weights.sum(0) + DOUBT)


def _hysteresis(score: np.ndarray, threshold: float) -> np.ndarray:
    """Regions above half the threshold that contain a pixel above it, without specks and gaps."""
    scale = max(score.shape[1] / 384, 0.25)
    smooth = cv2.medianBlur(score.astype(np.float32), 5) if min(score.shape) >= 5 else score
    weak = (smooth > threshold / 2).astype(np.uint8)
    weak = cv2.morphologyEx(weak, cv2.MORPH_OPEN, _disc(OPENING * scale))
    count, found = cv2.connectedComponents(weak)
    labels = np.asarray(found, np.int64)
    strong = np.zeros(count, bool)
    strong[np.unique(labels[(smooth > threshold) & (weak > 0)])] = True
    strong[0] = False
    return cv2.morphologyEx(strong[labels].astype(np.uint8), cv2.MORPH_CLOSE, _disc(CLOSING * scale)) > 0


def _disc(diameter: float) -> np.ndarray:
    size = max(1, round(diameter)) | 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
