"""A start for bundle adjustment: relative poses from essential matrices, chained from frame to frame.

Hartley and Zisserman, "Multiple View Geometry", chapters 9 and 12; sampling by MAGSAC++ (Barath et al., CVPR 2020).
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from neoverse_ns.geometry.se3 import se3_inverse
from neoverse_ns.reconstruct.bundle.cameras.state import State
from neoverse_ns.reconstruct.bundle.cameras.observations import Observations
from neoverse_ns.reconstruct.bundle.flow.dense_flow import Pair
from neoverse_ns.reconstruct.bundle.flow.view_graph import spanning_tree

MIN_POINTS = 30
"""Fewer confident points than this say nothing about a pair."""
TRUSTED = 0.5
"""Confidence from which flow is used for the start."""
THRESHOLD = 0.7
"""Distance to the epipolar line in pixels within which a point agrees."""


def two_view_start(observations: Observations, focal: float, seed: int) -> State:
    """Poses of all frames and inverse depths of all grid points for one assumed focal length.

    Frames follow each other along the strongest pairs (`chain`). Pairs whose geometry cannot be found keep the pose of
    the camera before: bundle adjustment moves them.

    Args:
        observations: Must contain both directions of every pair.
        focal: Focal length over width.
        seed: Of the random sampling.
    """
    edges = observations.edges
    rays = torch.cat([observations.centred / focal, torch.ones_like(observations.centred[:1])])
    n = observations.frames
    poses = torch.eye(4, dtype=torch.float64).repeat(n, 1, 1)
    depths = torch.full((n, rays.shape[1]), torch.nan, dtype=torch.float64)
    for i, j in chain(observations):
        poses[j] = poses[i]
        edge = edges[i, j]
        relative = relative_pose(observations, edge, focal, seed)
        if relative is None:
            continue
        ahead = _inverse_depth(observations, edge, rays, relative, focal)
        if torch.isfinite(depths[i]).any():
            # The same points of frame i, seen from a frame before and the one after, fix the length of this step.
            ratio = depths[i] / ahead
            ratio = ratio[torch.isfinite(ratio) & (ratio > 0)]
            if len(ratio) >= MIN_POINTS:
                scale = float(ratio.median().clamp(1e-3, 1e3))
                ahead, relative[:3, 3] = ahead * scale, relative[:3, 3] / scale
        poses[j] = relative @ poses[i]
        depths[i] = ahead
        depths[j] = _inverse_depth(observations, edges[j, i], rays, se3_inverse(relative), focal)
    filled = _filled(depths)
    unit = filled.median()
    poses[:, :3, 3] *= unit
    return State(poses, filled / unit, torch.full((n,), focal, dtype=torch.float64))


def chain(observations: Observations) -> list[Pair]:
    """Links (known frame, new frame) from frame 0 to all others: consecutive frames unless a wider pair is better."""
    strength = observations.weights.mean(1).tolist()
    return spanning_tree({pair: strength[edge] for pair, edge in observations.edges.items()}, observations.frames)


def relative_pose(observations: Observations, edge: int, focal: float, seed: int) -> Float[Tensor, "4 4"] | None:
    """Motion from the source to the target camera of an edge with a translation of length 1; None where unknown."""
    keep = (observations.weights[edge] > TRUSTED).numpy()
    if keep.sum() < MIN_POINTS:
        return None
    first = observations.centred.T.numpy()[keep] / focal
    second = (observations.seen[edge] - observations.centre[:, None]).T.numpy()[keep] / focal
    threshold = THRESHOLD / (focal * observations.width)
    cv2.setRNGSeed(seed)
    identity = np.eye(3)
    essential, mask = cv2.findEssentialMat(
        first, second, identity, method=cv2.USAC_MAGSAC, prob=0.999, threshold=threshold
    )
    if essential is None or essential.shape != (3, 3):
        return None
    count, rotation, translation, _ = cv2.recoverPose(essential, first, second, identity, mask=mask)
    if count < MIN_POINTS // 2:
        return None
    return _as_matrix(rotation, translation)


def _as_matrix(rotation: ndarray, translation: ndarray) -> Float[Tensor, "4 4"]:
    motion = torch.eye(4, dtype=torch.float64)
    motion[:3, :3] = torch.from_numpy(rotation)
    motion[:3, 3] = torch.from_numpy(translation).flatten()
    return motion


def _inverse_depth(
    observations: Observations, edge: int, rays: Tensor, relative: Tensor, focal: float
) -> Float[Tensor, " p"]:
    """Inverse depth of the source's grid points in closed form; NaN where it is negative or flow is not trusted."""
    a = relative[:3, :3] @ rays
    b = relative[:3, 3, None]
    seen = (observations.seen[edge] - observations.centre[:, None]) / focal
    # The target sees (a + d b): seen * (a_z + d b_z) = a_xy + d b_xy, two equations in d.
    rest, slope = a[:2] - seen * a[2], seen * b[2] - b[:2]
    depth = (rest * slope).sum(0) / slope.square().sum(0).clamp_min(1e-12)
    good = (depth > 0) & (observations.weights[edge] > TRUSTED)
    return torch.where(good, depth, torch.nan)


def _filled(depths: Float[Tensor, "n p"]) -> Float[Tensor, "n p"]:
    """Bounded around each frame's median; unknown points and frames take the median of their frame or the clip."""
    known = torch.isfinite(depths)
    overall = depths[known].median() if known.any() else torch.ones((), dtype=depths.dtype)
    rows = []
    for row, valid in zip(depths, known, strict=True):
        middle = row[valid].median() if valid.any() else overall
        rows.append(torch.where(valid, row, middle).clamp(middle / 10, middle * 10))
    return torch.stack(rows)
