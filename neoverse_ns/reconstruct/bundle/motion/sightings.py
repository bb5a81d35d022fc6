"""What one keyframe tells of how far a thing is: where it touches the ground, and how the camera's shaking shows in it.

Two views of a moving thing do not say how far it is. Three other things do. Nearly everything that moves stands on the
ground, and where it meets the ground in the image its depth is the ground's. A camera that does not move evenly
(footsteps, a swaying hand) leaves its trace in the image path of a thing that does, the larger the nearer it is. And
what is seen lies before what it hides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from torch import Tensor

from neoverse_ns.reconstruct.bundle.depth.keyframe_depth import Views

BENEATH = (0, 1)
"""Rows below a thing's lowest one, from and to, in which the ground is looked at: its edge lies between them."""
REACH = 0.4
"""How far to the side a part of a thing may stand, in heights of the thing: outstretched arms, heads, wings."""
FEET = 0.1
"""Columns that end within this share of a thing's height from its lowest point nearby stand on the ground."""
SOLES = 0.04
"""The same for a narrow thing, all of which stands at one distance: what ends higher would put it too far away."""
NARROW = 0.7
"""Width in heights up to which a thing stands at one distance: its columns' own are noise."""
UNEVEN = 0.35
"""How far the columns of a wider one may lie from its middle, as a logarithm."""
EVEN = 0.15
"""Width over which the depth of neighbouring columns is averaged, in heights of the thing."""
GROUND_ERROR = 0.3
"""Typical error of the depth beneath a thing, as a logarithm: flight, hidden feet, shadows."""
CUT_ERROR = 0.6
"""The same where the image ends before the thing does."""
HIDING = 0.15
"""Share of a thing's pixels that may seem to lie behind the still surface: its feet, and what is masked too much."""
HIDDEN = 0.3
"""Share of a thing's pixels behind which the still surface must be known to be fully believed."""
LEAST_HIDDEN = 20
"""Pixels behind which it must be known to say anything."""
STEP = 1.25
"""Ratio of the depth behind a thing's lowest parts to that beneath them from which that is no ground which goes on
behind the thing, but something else that hides its feet."""
PATH_ERROR = 0.15
"""Deviation in pixels from an even path, and error of flow, that are always assumed."""
MOST_PIXELS = 1500
"""Pixels of a thing that are looked at."""
STEPS = 6
"""Gauss-Newton steps for the distance of a thing."""


@dataclass(frozen=True)
class Sighting:
    """One thing in one keyframe; distances are logarithms of z-depth at the thing's middle.

    Attributes:
        thing: Its number.
        middle: Distance of the upright shape in the depth map that comes with it.
        ground: By where it stands; NaN where that is hidden.
        ground_error: Typical error of that.
        path: By its path through the views.
        path_certainty: Inverse of the variance of that; 0 where nothing is known.
        farthest: How far it may be to lie before what it hides; infinite where that is unknown.
        known: In [0, 1]: how much of what it hides is known.
        stands: Whether `ground` comes from where the thing stands, and not from a network.
    """

    thing: int
    middle: float
    ground: float
    ground_error: float
    path: float
    path_certainty: float
    farthest: float
    known: float
    stands: bool = True


def see_things(
    behind: Float[Tensor, "h w"],
    surface: Float[ndarray, "h w"],
    labels: Int[ndarray, "h w"],
    hidden: Float[ndarray, "h w"],
    views: Views | None,
    expected: Float[Tensor, "h w"] | None = None,
    expected_error: float | None = None,
) -> tuple[Float[Tensor, "h w"], list[Sighting]]:
    """The depth map with every thing upright where it seems to stand, and what else is known of their distances.

    Args:
        behind: Static depth, filled in behind what moves.
        surface: The same as well as it is known around things, where flow carries still depth along with them.
        labels: Which thing every pixel shows; 0 for none.
        hidden: What is known of the still surface behind the things; NaN elsewhere.
        views: Flow cues of the keyframe; None where cameras tell nothing about depth.
        expected: Depth that a network sees; None leaves it to where things stand.
        expected_error: Typical error of that, as a logarithm; None takes that of where things stand.
    """
    result = behind.numpy().copy()
    sightings = []
    for thing in np.unique(labels[labels > 0]).tolist():
        mask = labels == thing
        left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
        box = np.s_[top : top + height, left : left + width]
        region = mask[box]
        feet = _standing(surface, labels, hidden, thing, region, left, top)
        upright = np.broadcast_to(feet.depth, region.shape) if expected is None else expected.numpy()[box]
        shape = upright[region]
        middle = float(np.log(np.median(shape)))
        ground = middle if expected is not None or feet.error < np.inf else math.nan
        error = feet.error if expected is None or expected_error is None else expected_error
        path, certainty = 0.0, 0.0
        if views is not None:
            rows, columns = (torch.from_numpy(place) for place in np.nonzero(region))
            inverse = torch.from_numpy((1 / shape).astype(np.float32))
            path, certainty = distance_by_path(views, rows + top, columns + left, inverse)
        room = np.log(hidden[box][region] / shape)
        room = room[np.isfinite(room)]
        known = min(len(room) / (HIDDEN * region.sum()), 1.0)
        farthest = middle + float(np.quantile(room, HIDING)) if len(room) >= LEAST_HIDDEN else math.inf
        result[box][region] = shape
        stands = expected is None
        sightings.append(Sighting(thing, middle, ground, error, middle + path, certainty, farthest, known, stands))
    return torch.from_numpy(result), sightings


@dataclass(frozen=True)
class _Standing:
    """Depth of the ground that each column of a thing stands on, and its typical error; infinite where unknown."""

    depth: Float[ndarray, " w"]
    error: float


def _standing(
    surface: Float[ndarray, "h w"],
    labels: Int[ndarray, "h w"],
    hidden: Float[ndarray, "h w"],
    thing: int,
    region: Bool[ndarray, "rh rw"],
    left: int,
    top: int,
) -> _Standing:
    """Where a thing stands: beneath its lowest parts nearby, as far as these are in the image and nothing that moves
    hides them."""
    height, width = region.shape
    lowest = top + height - 1 - region[::-1].argmax(0)
    columns = np.arange(left, left + width)
    rows = lowest + np.arange(BENEATH[0], BENEATH[1] + 1)[:, None]
    inside = rows < len(surface)
    rows = np.minimum(rows, len(surface) - 1)
    below = np.median(surface[rows, columns], axis=0)
    free = inside.all(0) & (np.isin(labels[rows, columns], (0, thing))).all(0)
    above = hidden[np.maximum(lowest - np.arange(*BENEATH)[:, None] - 1, 0), columns]
    free &= ~(np.nan_to_num(above).max(0) > STEP * below)
    near = np.abs(columns[:, None] - columns) <= REACH * height
    within = SOLES if width <= NARROW * height else FEET
    feet = near & (lowest >= np.where(near, lowest, -1).max(1, keepdims=True) - within * height)
    count = (feet & free).sum(1)
    if count.any():
        # The mean of the inverse depths, because these are even along the ground.
        inverse = (feet & free) @ (1 / below) / count.clip(1)
        inverse = np.where(count > 0, inverse, np.interp(columns, columns[count > 0], inverse[count > 0]))
        error = GROUND_ERROR
    else:
        cut = ~inside.all(0)
        error = CUT_ERROR if cut.any() else np.inf
        inverse = np.full(width, (1 / below[cut]).mean() if cut.any() else (1 / below).mean())
    return _Standing(_evened(1 / inverse, width / height, EVEN * height), error)


def _evened(depth: Float[ndarray, " w"], aspect: float, reach: float) -> Float[ndarray, " w"]:
    """One depth for a narrow thing; for a wider one a running mean of the columns', not far from their median."""
    middle = np.median(depth)
    if aspect <= NARROW:
        return np.full(len(depth), middle, np.float32)
    within = np.clip(np.log(depth / middle), -UNEVEN, UNEVEN).astype(np.float32)
    side = 2 * int(reach) + 1
    return middle.astype(np.float32) * np.exp(cv2.blur(within[None], (side, 1), borderType=cv2.BORDER_REPLICATE)[0])


def distance_by_path(
    views: Views, rows: Tensor, columns: Tensor, inverse_depth: Float[Tensor, " p"]
) -> tuple[float, float]:
    """By what factor a thing lies farther than assumed, so that its pixels' paths become even: its logarithm, and how
    certain that is (the inverse of its variance).

    Every pixel may have its own velocity and acceleration in the image; what camera motion adds beyond these is
    proportional to the inverse depth. The answer is the more certain the more evenly the thing moves then: an uneven
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
