"""The plane on which things stand, where the clip shows one: it says where they are when the ground beside them is
unknown, wet or plain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Tensor

STRIDE = 6
"""Spacing of the pixels that are asked."""
TRUSTED = 0.4
"""Confidence from which on their depth counts."""
TRIALS = 300
"""Planes through three points that are tried."""
LEVEL = 0.85
"""Least cosine between the plane's normal and the mean of the cameras' downward axes."""
TOLERANCE = 0.08
"""Distance from the plane at which a point still lies in it, as a share of the cameras' height above it."""
LEAST_SHARE = 0.2
"""Share of the trusted points in the lower half of the pictures that must lie in it."""
LEAST_POINTS = 200
"""Trusted points without which there is none."""
LOWER = 0.5
"""Where the lower half begins, as a share of the height."""


@dataclass(frozen=True)
class GroundPlane:
    """Points X of the world with ``normal . X = offset``; the normal points downward.

    Attributes:
        normal: Unit vector.
        offset: Distance along it from the world's origin.
    """

    normal: Float[ndarray, "3"]
    offset: float

    def depth(self, viewmat: Float[Tensor, "4 4"], focal: float, shape: tuple[int, int]) -> Float[ndarray, "h w"]:
        """z-depth at which the pixels of a camera meet the plane; infinite where they do not."""
        view = viewmat.double().numpy()
        # Planes turn with the inverse: a camera whose lens is written as a stretch has no rigid matrix.
        normal = np.linalg.solve(view[:3, :3].T, self.normal)
        height = self.offset + float(normal @ view[:3, 3])
        rows, columns = np.mgrid[: shape[0], : shape[1]] + 0.5
        slope = normal[0] * (columns - shape[1] / 2) / focal + normal[1] * (rows - shape[0] / 2) / focal + normal[2]
        with np.errstate(divide="ignore"):
            return np.where(slope > 0, height / slope, np.inf)


def find_ground(
    depth: Float[Tensor, "k h w"],
    confidence: Float[Tensor, "k h w"],
    moving: Bool[ndarray, "k h w"],
    viewmats: Float[Tensor, "k 4 4"],
    focal: float,
) -> GroundPlane | None:
    """The plane beneath all cameras in which most of what the lower halves of the pictures show lies (RANSAC, Fischler
    and Bolles 1981); None where there is no such plane.

    Args:
        depth: Of the keyframes.
        confidence: Trust in it.
        moving: Pixels that say nothing.
        viewmats: World-to-camera matrices.
        focal: Focal length in pixels; the principal point is the image's middle.
    """
    count, height, width = depth.shape
    top = int(LOWER * height)
    rows, columns = np.mgrid[top:height:STRIDE, 0:width:STRIDE]
    points = []
    c2w = torch.linalg.inv(viewmats.double()).numpy()
    for place in range(count):
        known = (confidence[place].numpy()[rows, columns] >= TRUSTED) & ~moving[place][rows, columns]
        z = depth[place].numpy()[rows, columns][known]
        x, y = (columns[known] + 0.5 - width / 2) / focal * z, (rows[known] + 0.5 - height / 2) / focal * z
        points.append(np.stack([x, y, z], -1) @ c2w[place, :3, :3].T + c2w[place, :3, 3])
    cloud = np.concatenate(points)
    if len(cloud) < LEAST_POINTS:
        return None
    down = c2w[:, :3, 1].mean(0)
    down /= np.linalg.norm(down)
    random = np.random.default_rng(0)
    corner, second, third = cloud[random.integers(len(cloud), size=(3, TRIALS))]
    normals = np.cross(second - corner, third - corner)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-12)
    normals *= np.sign(normals @ down)[:, None]
    heights = (normals * corner).sum(1) - (normals @ c2w[:, :3, 3].T).max(1)
    fits = (normals @ down >= LEVEL) & (heights > 0)
    sample = cloud[random.permutation(len(cloud))[:3000]]
    away = np.abs(sample @ normals.T - (normals * corner).sum(1))
    share = np.where(fits, (away < TOLERANCE * heights.clip(0)).mean(0), 0.0)
    best = int(share.argmax())
    if share[best] < LEAST_SHARE:
        return None
    return _refined(cloud, normals[best], float(normals[best] @ corner[best]), float(heights[best]))


def _refined(cloud: Float[ndarray, "n 3"], normal: Float[ndarray, "3"], offset: float, height: float) -> GroundPlane:
    """The plane through the middle of the points that lie in it."""
    for _ in range(3):
        inside = cloud[np.abs(cloud @ normal - offset) < TOLERANCE * height]
        middle = inside.mean(0)
        fitted = np.linalg.svd((inside - middle)[:: len(inside) // 5000 + 1], full_matrices=False)[2][2]
        normal = fitted * np.sign(fitted @ normal)
        offset = float(normal @ middle)
    return GroundPlane(normal, offset)
