"""Depth of what moves: where it touches the ground, and how the camera's own shaking shows in its path.

Two views of a moving thing do not say how far it is. Two other things do. Nearly everything that moves stands on the
ground, and where it meets the ground in the image its depth is the ground's. And a camera that does not move evenly
(footsteps, a swaying hand) leaves its trace in the image path of a thing that does, the larger the nearer it is.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Tensor

from neoverse_ns.reconstruct.bundle.depth.keyframe_depth import CLOSEST, FARTHEST, Views

BENEATH = (1, 5)
"""Rows below a moving region, from and to, in which the ground is looked at."""
REACH = 0.4
"""How far to the side a part of a region may stand, in heights of the region: outstretched arms, heads, wings."""
FEET = 0.1
"""Columns that end within this share of a region's height from its lowest point nearby stand on the ground."""
GROUND_ERROR = 0.3
"""Typical error of the depth beneath a region, as a logarithm: flight, hidden feet, shadows."""
PATH_ERROR = 0.15
"""Deviation in pixels from an even path, and error of flow, that are always assumed."""
MOST_PIXELS = 1500
"""Pixels of a region that are looked at."""
STEPS = 6
"""Gauss-Newton steps for the distance of a region."""


def place_dynamic_objects(
    depth: Float[Tensor, "h w"], moving: Bool[Tensor, "h w"], views: Views
) -> tuple[Float[Tensor, "h w"], Float[Tensor, "h w"]]:
    """The depth map with every moving region upright where it stands, and how wrong that may be.

    Each column of a region takes the depth found beneath its lowest parts nearby, and does not lie behind the static
    surface around it; then the whole region is moved along the line of sight as far as its path through the views
    tells. A region cut off by the lower edge of the image starts at the depth beside it.

    Args:
        depth: Static depth, filled in behind what moves.
        moving: Mask of what moves.
        views: Flow cues of the keyframe.

    Returns:
        The depth, and the typical error of its logarithm where things move; 0 elsewhere.
    """
    result = depth.numpy().copy()
    error = np.zeros_like(result)
    count, labels, facts, _ = cv2.connectedComponentsWithStats(moving.numpy().astype(np.uint8))
    for number in range(1, count):
        left, top, width, height, _ = facts[number].tolist()
        box = np.s_[top : top + height, left : left + width]
        region = labels[box] == number
        standing = np.minimum(result[box], _standing_depth(depth.numpy(), region, left, top))[region]
        rows, columns = (torch.from_numpy(place) for place in np.nonzero(region))
        shift, certainty = _distance_by_path(views, rows + top, columns + left, torch.from_numpy(1 / standing))
        moved, error[box][region] = _weigh(shift, certainty)
        result[box][region] = (standing * math.exp(moved)).clip(1 / CLOSEST, 1 / FARTHEST)
    return torch.from_numpy(result), torch.from_numpy(error)


def _standing_depth(depth: ndarray, region: Bool[ndarray, "rh rw"], left: int, top: int) -> Float[ndarray, " rw"]:
    """Depth of the ground that each column of a region stands on; infinite where there is none."""
    height, width = region.shape
    lowest = top + height - 1 - region[::-1].argmax(0)
    columns = np.arange(left, left + width)
    rows = lowest + np.arange(BENEATH[0], BENEATH[1] + 1)[:, None]
    below = np.median(depth[np.minimum(rows, len(depth) - 1), columns], axis=0)
    below = np.where(lowest + BENEATH[0] < len(depth), below, np.inf)
    near = np.abs(columns[:, None] - columns) <= REACH * height
    feet = near & (lowest >= np.where(near, lowest, -1).max(1, keepdims=True) - FEET * height)
    # The mean of the inverse depths: no ground counts as infinitely far, and the feet are few.
    inverse = (feet / below).sum(1) / (feet & np.isfinite(below)).sum(1).clip(1)
    return (1 / np.maximum(inverse, 1e-6)).astype(np.float32)


def _distance_by_path(
    views: Views, rows: Tensor, columns: Tensor, inverse_depth: Float[Tensor, " p"]
) -> tuple[float, float]:
    """By what factor a region lies farther than assumed, so that its pixels' paths become even: its logarithm, and how
    certain that is (the inverse of its variance).

    Every pixel may have its own velocity and acceleration in the image; what camera motion adds beyond these is
    proportional to the inverse depth. The answer is the more certain the more evenly the region moves then: an uneven
    motion of its own, such as a walker's, shows as an error common to all its pixels.
    """
    pick = slice(None, None, len(rows) // MOST_PIXELS + 1)
    chosen = views.at(rows[pick], columns[pick])
    inverse = inverse_depth[pick][None]
    times = torch.tensor([j - views.frame for j in views.targets], dtype=torch.float32)
    weights = chosen.weights / (1 + chosen.round_trip / PATH_ERROR**2)
    even = _EvenPaths(times, weights)
    shift, certainty = 0.0, 0.0
    for _ in range(STEPS):
        now = inverse * math.exp(-shift)
        error, slope = chosen.linearise(now)
        error, slope = even.without(error), even.without(slope * now)
        spread = (weights * error.square().sum(1)).sum() / weights.sum().clamp_min(1e-6)
        pull = (weights * slope.square().sum(1)).sum() / weights.sum().clamp_min(1e-6)
        # The pixels of a region err together: each view is one observation, less those that the paths have used up.
        count = max(float((weights.mean(dim=(1, 2)) > 0.1).sum()) - 2.0, 0.0)
        certainty = count * float(pull / (spread + PATH_ERROR**2))
        step = float((weights * (error * slope).sum(1)).sum() / weights.sum().clamp_min(1e-6) / pull.clamp_min(1e-9))
        shift += min(max(step, -0.5), 0.5)
        shift = min(max(shift, -1.5), 1.5)
    return shift, certainty


def _weigh(shift: float, certainty: float) -> tuple[float, float]:
    """Logarithmic distance from the ground beneath, between that and what the path says, and its typical error.

    The ground's error has Huber's distribution: a thing that certainly is somewhere else does not stand there at all.
    """
    ground = 1 / GROUND_ERROR**2
    moved = shift * certainty / (certainty + ground)
    if abs(moved) <= GROUND_ERROR:
        return moved, (certainty + ground) ** -0.5
    return shift - math.copysign(1 / (GROUND_ERROR * certainty), shift), certainty**-0.5


class _EvenPaths:
    """Paths of constant velocity and acceleration, fitted to each pixel by weighted least squares."""

    def __init__(self, times: Float[Tensor, " e"], weights: Float[Tensor, "e h w"]) -> None:
        scaled = times / times.abs().max().clamp_min(1.0)
        self.basis = torch.stack([scaled, scaled.square()])
        self.weights = weights
        normal = torch.einsum("ae,be,ehw->hwab", self.basis, self.basis, weights)
        self.inverse = torch.linalg.inv(normal + 1e-4 * torch.eye(2))

    def without(self, positions: Float[Tensor, "e 2 h w"]) -> Float[Tensor, "e 2 h w"]:
        """What is left of positions over time after taking the best even path from them."""
        moments = torch.einsum("ae,ehw,echw->chwa", self.basis, self.weights, positions)
        best = torch.einsum("hwab,chwb->chwa", self.inverse, moments)
        return positions - torch.einsum("ae,chwa->echw", self.basis, best)
