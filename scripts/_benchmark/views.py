"""Views from a second camera that was never an input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from _benchmark.baselines import best_shift, score
from _benchmark.clips import BenchmarkClip
from neoverse_ns.geometry.alignment import align_sim3
from neoverse_ns.geometry.cameras import PinholeCameras

Draw = Callable[[PinholeCameras, Float[Tensor, " n"]], UInt8[Tensor, "n h w 3"]]
"""Draws a scene from cameras of the reconstruction's world at normalised times."""


def place_by_alignment(left: PinholeCameras, true_left: PinholeCameras, true_right: PinholeCameras) -> PinholeCameras:
    """The true right cameras in the reconstruction's world: one similarity that brings the left centres together.

    Errors of the whole path and of the focal length count in full.
    """
    sim3 = align_sim3(true_left.c2w[:, :3, 3], left.c2w[:, :3, 3].double())
    return PinholeCameras(sim3.apply_c2w(true_right.c2w).float(), true_right.K.float(), left.width, left.height)


def place_beside(left: PinholeCameras, true_left: PinholeCameras, true_right: PinholeCameras) -> PinholeCameras:
    """Every right camera relative to its own estimated left one, at the similarity's scale.

    The focal length is the estimated one, too. This leaves out errors of the path, so that what remains is how well new
    views are drawn.
    """
    sim3 = align_sim3(true_left.c2w[:, :3, 3], left.c2w[:, :3, 3].double())
    relative = torch.linalg.inv(true_left.c2w) @ true_right.c2w
    relative[:, :3, 3] *= sim3.scale
    K = true_right.K @ torch.linalg.inv(true_left.K) @ left.K.double()
    return PinholeCameras((left.c2w.double() @ relative).float(), K.float(), left.width, left.height)


def score_shift(sample: BenchmarkClip) -> dict[str, Any]:
    """The best constant sideways shift of every left frame, what a new view must beat."""
    assert sample.right_frames is not None
    shifts, pairs = [], []
    for left, right in zip(sample.clip.frames, sample.right_frames, strict=True):
        shift, image = best_shift(left, right)
        shifts.append(shift)
        pairs.append((image, right))
    return {**score(pairs), "shift_pixels": shifts}


def score_right(sample: BenchmarkClip, left: PinholeCameras, draw: Draw) -> dict[str, Any]:
    """The scene drawn from the right camera at every sampled time, in both placements.

    Args:
        sample: Must have true cameras and a right camera.
        left: Estimated cameras of all sampled frames.
        draw: The trained scene.
    """
    assert sample.cameras is not None
    assert sample.right_cameras is not None
    assert sample.right_frames is not None
    result = {}
    for name, place in (("right_aligned", place_by_alignment), ("right_beside", place_beside)):
        views = draw(place(left, sample.cameras, sample.right_cameras), sample.clip.times)
        result[name] = score(zip(views, sample.right_frames, strict=True))
    return result
