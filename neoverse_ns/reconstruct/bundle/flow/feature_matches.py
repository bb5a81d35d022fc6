"""Distinct points of an image, found again in another one however far it moved, and the geometry that verifies them.

SIFT (Lowe, IJCV 2004) with square-rooted descriptors (Arandjelovic and Zisserman, CVPR 2012); epipolar geometry by
MAGSAC++ (Barath et al., CVPR 2020). Points are array positions: integer at pixel centres, x then y.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy import ndarray
from torch import Tensor

MOST = 2000
"""Points looked for in one image, the strongest ones."""
CONTRAST = 0.02
"""SIFT's contrast threshold; half of the usual one, since sampled frames are small and often dark."""
RATIO = 0.8
"""Largest distance to the nearest descriptor, as a share of that to the second nearest (Lowe, section 7.1)."""
THRESHOLD = 1.0
"""Distance to the epipolar line in pixels within which a match agrees."""
FEWEST = 8
"""Matches that a fundamental matrix needs."""
SMALLEST = 32
"""Images with a shorter side than this hold no scales to search."""


@dataclass(frozen=True)
class Features:
    """Points of one image.

    Attributes:
        points: Where they are.
        descriptors: What they look like, unit vectors.
    """

    points: Float[ndarray, "k 2"]
    descriptors: Float[Tensor, "k 128"]


def find_features(gray: UInt8[ndarray, "h w"]) -> Features:
    """The strongest points of an image; none where it is tiny or plain."""
    keys, found = (), None
    if min(gray.shape) >= SMALLEST:
        keys, found = cv2.SIFT.create(MOST, contrastThreshold=CONTRAST).detectAndCompute(gray, None)  # type: ignore[call-overload]
    if found is None:
        return Features(np.zeros((0, 2), np.float32), torch.zeros(0, 128))
    descriptors = torch.from_numpy(found)
    descriptors = (descriptors / descriptors.sum(1, keepdim=True).clamp_min(1e-9)).sqrt()
    return Features(np.array([key.pt for key in keys], np.float32), descriptors)


@dataclass(frozen=True)
class Matches:
    """Points found in two images.

    Attributes:
        first: Where they are in the first image.
        second: Where they are in the second.
        geometry: The fundamental matrix that they obey, where one is known.
    """

    first: Float[ndarray, "m 2"]
    second: Float[ndarray, "m 2"]
    geometry: Float[ndarray, "3 3"] | None = None

    def __len__(self) -> int:
        return len(self.first)


def match_features(first: Features, second: Features) -> Matches:
    """The points that are each other's nearest, and clearly nearer than the second."""
    if min(len(first.points), len(second.points)) < 2:
        return Matches(np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32))
    alike = first.descriptors @ second.descriptors.T
    there, clear = _nearest(alike)
    back, _ = _nearest(alike.T)
    own = torch.arange(len(there))
    keep = (clear & (back[there] == own)).numpy()
    return Matches(first.points[keep], second.points[there.numpy()[keep]])


def _nearest(alike: Float[Tensor, "a b"]) -> tuple[Tensor, Tensor]:
    """For every row its largest entry, and whether that passes the ratio test."""
    best, place = alike.topk(2, dim=1)
    distance = (2 - 2 * best).clamp_min(0).sqrt()
    return place[:, 0], distance[:, 0] < RATIO * distance[:, 1]


def verified(matches: Matches) -> Matches:
    """The matches that obey the fundamental matrix that most obey; none where there is no such matrix.

    No focal length enters. A camera that only turns, or a plane alone, leave the matrix ambiguous, but every choice
    still passes the true matches.
    """
    geometry, obey = None, np.zeros(len(matches), bool)
    if len(matches) >= FEWEST:
        points = matches.first.astype(np.float64), matches.second.astype(np.float64)
        try:
            geometry, mask = cv2.findFundamentalMat(*points, cv2.USAC_MAGSAC, THRESHOLD, 0.9999, 10000)
        except cv2.error:
            # Where a refined sample is degenerate OpenCV's MAGSAC++ fails an assertion instead of trying the next one.
            geometry, mask = cv2.findFundamentalMat(*points, cv2.FM_RANSAC, THRESHOLD, 0.9999, 10000)
        geometry = geometry if geometry is not None and geometry.shape == (3, 3) else None
        obey = obey if geometry is None else np.asarray(mask).ravel() > 0
    return Matches(matches.first[obey], matches.second[obey], geometry)


def epipolar_distance(
    matrix: Float[ndarray, "3 3"], first: Float[ndarray, "m 2"], second: Float[ndarray, "m 2"]
) -> Float[ndarray, " m"]:
    """Distance in pixels of both points to each other's epipolar line (Hartley and Zisserman, 11.4.3: Sampson)."""
    a = np.concatenate([first, np.ones_like(first[:, :1])], 1)
    b = np.concatenate([second, np.ones_like(second[:, :1])], 1)
    in_second, in_first = a @ matrix.T, b @ matrix
    slope = (in_second[:, :2] ** 2).sum(1) + (in_first[:, :2] ** 2).sum(1)
    return np.abs((in_second * b).sum(1)) / np.sqrt(np.maximum(slope, 1e-18))
