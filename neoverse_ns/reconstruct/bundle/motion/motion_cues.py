"""What speaks for and against a keyframe's pixels moving on their own: flow that fits no depth, changing colours.

Two independent witnesses are asked at every second pixel. Flow, where it is trusted, either fits some depth of a rigid
scene in all views at once, or it does not. And a rigid scene shows the same colour wherever a pixel's depth says it
must be seen: this finds what moves too fast for flow.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from numpy import ndarray
from torch import Tensor

from neoverse_ns.reconstruct.bundle.depth.keyframe_depth import CLOSEST, FARTHEST, Views

TYPICAL = 0.85
"""Deviation per axis of a residual over its median length (the median of a Rayleigh distribution is 1.18 of it)."""
LEAST = 0.15**2
"""Mean squared residual, in units of the assumed noise, below which the typical one of a keyframe is not taken."""
NOISE_FLOOR = 0.3
"""Flow is never trusted to be more precise than this, pixels."""
FLOW_SHARE = 0.03
"""Part of a displacement's length by which flow is expected to err."""
WORST = 64.0
"""Squared normalised residual beyond which a view counts no further: one wrong view is no motion."""
WINDOW = 3
"""Side of the neighbourhood over which residuals are averaged; three times as far for the noise of flow."""
SURE = 2.0
"""Views' worth of trusted flow from which its verdict counts fully."""
GREY_NOISE = 10.0
"""Difference in grey levels, beyond what is found within a pixel's distance, at which colours no longer agree."""
SEEN_AGAIN = 0.5
"""Share of views that must show the same colour before a changed one stops being cues of motion."""
OCCLUDED = 1.08
"""Ratio of depths from which the nearer of two surfaces hides the other."""


@dataclass(frozen=True)
class MotionCues:
    """Weights of the cues at every second pixel of a keyframe, each about 0 to 2.

    Attributes:
        moving: For motion.
        still: Against it.
    """

    moving: Float[Tensor, "h w"]
    still: Float[Tensor, "h w"]


def flow_cues(
    views: Views, inverse_depth: Float[Tensor, "h w"], threshold: float, depth_error: float | None = None
) -> MotionCues:
    """Whether flow fits one depth in all views, in multiples of its noise.

    Unless `depth_error` says how well it is known, the depth is free at every pixel: a depth edge that smoothing has
    moved, or a thin thing that it has swallowed, is not taken for motion. The noise of each view combines its median
    residual (with the error of the cameras in it), the round-trip error of flow nearby, and a share of the
    displacement.

    Args:
        views: Flow cues.
        inverse_depth: Where to start from.
        threshold: Residual at which the cues is even, in multiples of the keyframe's typical residual.
        depth_error: Typical relative error of a depth that was not measured by this flow: the better it is known, the
            less motion along the lines of sight can pass for a different depth. None leaves the depth free.
    """
    error, slope = views.linearise(inverse_depth)
    size = error.norm(dim=1)
    static = views.focal * (views.base[:, :2] / views.base[:, 2:].clamp_min(0.05) - views.seen).norm(dim=1)
    believed = views.weights > 0.3
    middle = torch.stack([s[b].median() if b.any() else s.new_tensor(1.0) for s, b in zip(size, believed, strict=True)])
    variance = NOISE_FLOOR**2 + (TYPICAL * middle[:, None, None]).square() + (FLOW_SHARE * static).square()
    variance += torch.stack([_blurred(v, 3 * WINDOW) for v in views.round_trip])
    weights = views.weights / variance
    precision = (weights * slope.square().sum(1)).sum(0)
    if depth_error is not None:
        precision = precision + 1 / (depth_error * inverse_depth).square()
    step = (weights * (error * slope).sum(1)).sum(0) / precision.clamp_min(1e-9)
    change = (inverse_depth - step).clamp(FARTHEST, CLOSEST) - inverse_depth
    rest = (error + change * slope).square().sum(1) / variance
    # Two equations per view and one unknown: their mean square would be 1 if all residuals were noise.
    total = _blurred((views.weights * rest.clamp_max(WORST)).sum(0), WINDOW)
    trust = _blurred(views.weights.sum(0), WINDOW)
    square = total / (2 * trust - 1).clamp_min(1.0)
    known = trust > SURE / 2
    typical = square[known].median() if known.any() else square.new_tensor(1.0)
    moving = square / (square + threshold**2 * typical.clamp_min(LEAST))
    sure = (trust / SURE).clamp_max(1.0)
    return MotionCues(sure * moving, sure * (1 - moving))


def colour_cues(
    base: Float[Tensor, "e 3 h w"],
    shift: Float[Tensor, "e 3 1 1"],
    focal: float,
    inverse_depth: Float[Tensor, "h w"],
    image: UInt8[ndarray, "H W 3"],
    others: list[UInt8[ndarray, "H W 3"]],
    stride: int,
    hidden: list[Bool[ndarray, "H W"]] | None = None,
) -> MotionCues:
    """Whether the places where a rigid scene would show a pixel again show its colour.

    Args:
        base: Viewing rays of every `stride`-th pixel, turned into the other cameras.
        shift: Translations into these.
        focal: Focal length in pixels of the full image.
        inverse_depth: Of every `stride`-th pixel.
        image: The keyframe.
        others: The frames of the other cameras.
        stride: Spacing of the pixels that are judged.
        hidden: Pixels that are no part of the world, of the keyframe and of every other frame; None where there are
            none. They say nothing.
    """
    here = cv2.GaussianBlur(image, (3, 3), 0)[::stride, ::stride].astype(np.float32)
    point = base + inverse_depth * shift
    depth = point[:, 2].clamp_min(0.05)
    position = (focal * point[:, :2] / depth[:, None]).numpy()
    agree, seen = np.zeros(here.shape[:2], np.float32), np.zeros(here.shape[:2], np.float32)
    height, width = image.shape[:2]
    shown = (point[:, 2] > 0.05).numpy()
    if hidden is not None:
        shown &= ~hidden[0][::stride, ::stride]
    for place, (other, (u, v), z, reached) in enumerate(zip(others, position, depth.numpy(), shown, strict=True)):
        x, y = u + np.float32(width / 2 - 0.5), v + np.float32(height / 2 - 0.5)
        visible = reached & (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
        visible &= _unoccluded(x / stride, y / stride, z)
        if hidden is not None:
            visible &= cv2.remap(hidden[place + 1].astype(np.uint8), x, y, cv2.INTER_NEAREST) == 0
        agree += visible * _agreement(here, other, x, y, visible)
        seen += visible
    share = agree / np.maximum(seen, 1)
    # One view alone may be an occlusion that nobody foresaw.
    sure = np.clip(seen - 1, 0, 1)
    contrast = contrast_of(here)
    moving = sure * np.clip(1 - share / SEEN_AGAIN, 0, 1)
    return MotionCues(torch.from_numpy(moving), torch.from_numpy(sure * contrast * share))


def _agreement(here: ndarray, other: ndarray, x: ndarray, y: ndarray, visible: ndarray) -> ndarray:
    """In [0, 1]: how well colours fit into the range found within a pixel of where they should be seen."""
    smooth = cv2.GaussianBlur(other, (3, 3), 0)
    near = np.ones((3, 3), np.uint8)
    bounds = [cv2.remap(op(smooth, near), x, y, cv2.INTER_LINEAR).astype(np.float32) for op in (cv2.erode, cv2.dilate)]
    # A camera that adapts to the light changes all colours alike.
    drift = (0.5 * (bounds[0] + bounds[1]) - here)[visible]
    change = np.median(drift[::5], axis=0) if len(drift) else np.float32(0)
    outside = np.maximum(bounds[0] - change - here, here - bounds[1] + change).max(-1)
    return np.exp(-((np.maximum(outside, 0) / GREY_NOISE) ** 2))


def _unoccluded(x: ndarray, y: ndarray, z: ndarray) -> Bool[ndarray, "h w"]:
    """Pixels that no other pixel of the same map lands in front of."""
    h, w = z.shape
    column, row = np.clip(x.round().astype(np.int64), 0, w - 1), np.clip(y.round().astype(np.int64), 0, h - 1)
    place = (row * w + column).ravel()
    nearest = np.full(h * w, np.inf, np.float32)
    np.minimum.at(nearest, place, z.ravel())
    nearest = cv2.erode(nearest.reshape(h, w), np.ones((3, 3), np.uint8)).ravel()
    return z <= OCCLUDED * nearest[place].reshape(h, w)


def contrast_of(image: ndarray) -> ndarray:
    """In [0, 1]: how far colours differ nearby; in plain places an agreeing colour says nothing."""
    near = np.ones((5, 5), np.uint8)
    spread = (cv2.dilate(image, near) - cv2.erode(image, near)).max(-1)
    return spread / (spread + 2 * GREY_NOISE)


def _blurred(a: Tensor, side: int) -> Tensor:
    return torch.from_numpy(cv2.blur(a.numpy(), (side, side)))
