"""A fused, constant background: what other keyframes know about places that the local ones do not show."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.gaussians.dynamic import DynamicGaussians, concatenate
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.rasterize.drawing import draw
from neoverse_ns.reconstruct.base import SceneGeometry
from neoverse_ns.reconstruct.bundle.lifting.keyframe_lift import Lifted

_EDGE = 0.06
"""Relative step of depth between neighbouring pixels above which both may float between two surfaces."""

SAME = 0.1
"""Relative difference of depth below which two keyframes see the same surface."""


def fuse_background(clip: Clip, geometry: SceneGeometry, lifted: Lifted) -> DynamicGaussians:
    """Constant Gaussians of everything static, each surface from the first keyframe that shows it.

    Keyframes are visited from the middle of the clip outwards. Each adds its static pixels where what was collected so
    far, drawn from its camera, has a hole or lies clearly behind; so a surface is not stacked from all keyframes.
    Keyframes whose place is only a guess (the report's "unlinked_frames") add nothing.

    Args:
        clip: The frames; only their size is read, and what they ignore.
        geometry: Depth and motion masks of the keyframes.
        lifted: The keyframes' Gaussians, as :func:`lift` makes them; pixels that have none add nothing.

    Returns:
        Constant Gaussians; `keyframe` says which one each was taken from.
    """
    middle = len(geometry.keyframes) // 2
    guessed = set(geometry.report.get("unlinked_frames", []))
    placed = [number for number, frame in enumerate(geometry.keyframes) if frame not in guessed]
    order = sorted(placed, key=lambda number: abs(number - middle))
    parts: list[DynamicGaussians] = []
    for number in order:
        wanted = _static_surface(geometry, number)
        if clip.ignored is not None:
            wanted = wanted & ~clip.ignored[geometry.keyframes[number]]
        if parts:
            camera = geometry.cameras[[geometry.keyframes[number]]]
            wanted = wanted & _missing(concatenate(parts), camera, geometry.depth[number])
        rows = lifted.rows(number, wanted)
        if len(rows):
            parts.append(_constant(lifted.gaussians[rows]))
    return concatenate(parts) if parts else lifted.gaussians[:0]


def _static_surface(geometry: SceneGeometry, number: int) -> Bool[Tensor, "h w"]:
    """Pixels that neither move nor lie beside what moves, nor on a depth edge."""
    near_motion = cv2.dilate(geometry.dynamic[number].numpy().astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    depth = geometry.depth[number].numpy()
    low, high = cv2.erode(depth, np.ones((3, 3), np.uint8)), cv2.dilate(depth, np.ones((3, 3), np.uint8))
    return torch.from_numpy(~near_motion & (high - low < _EDGE * low))


@torch.no_grad()
def _missing(collected: DynamicGaussians, camera: PinholeCameras, depth: Float[Tensor, "h w"]) -> Bool[Tensor, "h w"]:
    """Where the collected background has a hole, or only something clearly farther away."""
    seen = draw(collected, 0.0, camera.viewmats, camera.K, camera.width, camera.height)
    return (seen.alpha[0, ..., 0] < 0.5) | (seen.depth[0, ..., 0] > (1 + SAME) * depth)


def _constant(gaussians: DynamicGaussians) -> DynamicGaussians:
    return dataclasses.replace(
        gaussians,
        velocities=torch.zeros_like(gaussians.velocities),
        dynamic=torch.zeros_like(gaussians.dynamic),
    )
