"""Motion around every pixel of one thing: measured flow, made even by local linear regression.

Flow at the edge of a thing is torn between it and what lies behind. So only the thing's own pixels have a say, and
around every place an affine motion is fitted to them by weighted least squares (Cleveland, "Robust Locally Weighted
Regression and Smoothing Scatterplots", JASA 1979, with its robust weights). It reaches beyond the thing's edge, to what
of it is hidden. All sums are blurs of moments, so that the cost does not depend on the number of points.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

REACH = 5.0
"""Standard deviation of a neighbourhood in pixels (at 384 px width)."""
CELL = 3
"""Pixels between the places at which a motion is fitted (at 384 px width)."""
FAR, FAR_WEIGHT = 4.0, 0.02
"""A second neighbourhood, so many times wider, has a say by this weight: it decides where the first one is empty."""
STIFF = 0.1
"""Spread of places that is added, in squares of the neighbourhood's: few pixels in a row bend nothing."""
OUTLIER = 1.0
"""Deviation in pixels from the fit at which a pixel's weight is halved."""
ROUNDS = 3
"""Fits, each after the first with weights from the one before."""
LEAST = 12
"""Pixels of a thing below which its motion is not measured."""


@dataclass(frozen=True)
class LocalMotion:
    """Motion in a part of the picture, at the middles of its cells.

    Attributes:
        corner: Column and row of the part's upper left corner, pixels.
        cell: Width and height of a cell, pixels.
        values: Displacement (2) in pixels, its derivative by place (component by axis: 4), and the trusted pixels in
            the neighbourhood as a share of it.
    """

    corner: tuple[int, int]
    cell: int
    values: Float[ndarray, "ch cw 7"]

    def at(
        self, xy: Float[ndarray, "m 2"]
    ) -> tuple[Float[ndarray, "m 2"], Float[ndarray, "m 2 2"], Float[ndarray, " m"]]:
        """Displacement, its derivative and evidence at places (pixel centres at +0.5); there is none outside."""
        height, width = self.values.shape[:2]
        place = (xy - self.corner) / self.cell
        inside = ((place >= 0) & (place <= (width, height))).all(1)
        found = sample(self.values, place)
        return found[:, :2], found[:, 2:6].reshape(-1, 2, 2), found[:, 6] * inside


def sample(values: Float[ndarray, "h w c"], xy: Float[ndarray, "m 2"]) -> Float[ndarray, "m c"]:
    """Values at places, interpolated linearly; beyond the border its values are repeated."""
    height, width = values.shape[:2]
    x, y = (xy[:, 0] - 0.5).clip(0, width - 1), (xy[:, 1] - 0.5).clip(0, height - 1)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    a, b = (x - left)[:, None], (y - top)[:, None]
    upper = values[top, left] * (1 - a) + values[top, right] * a
    lower = values[bottom, left] * (1 - a) + values[bottom, right] * a
    return upper * (1 - b) + lower * b


def local_motion(
    flow: Float[ndarray, "h w 2"], trust: Float[ndarray, "h w"], inside: Bool[ndarray, "h w"]
) -> LocalMotion | None:
    """Even motion of one thing; None where it shows too little of itself.

    Args:
        flow: Displacement of every pixel.
        trust: In it, in [0, 1].
        inside: Pixels that show the thing.
    """
    core = cv2.erode(inside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    core = core if core.sum() >= LEAST else inside
    weights = trust * core
    if weights.sum() < LEAST / 4:
        return None
    height, width = inside.shape
    reach, cell = REACH * width / 384, max(round(CELL * width / 384), 1)
    left, top, w, h = cv2.boundingRect(core.astype(np.uint8))
    margin = int(np.ceil(FAR * reach))
    corner = max(left - margin, 0), max(top - margin, 0)
    size = tuple(
        -(-(min(b + m + margin, n) - a) // cell) * cell
        for a, b, m, n in ((corner[1], top, h, height), (corner[0], left, w, width))
    )
    own, moved = (_part(values, corner, size) for values in (weights[..., None], flow))
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float64) + 0.5
    place = np.stack([x - size[1] / 2, y - size[0] / 2], -1)
    now, values, evidence = own[..., 0], np.zeros(0), np.zeros(0)
    for turn in range(ROUNDS):
        values, total = _fit(now, place, moved, reach, cell)
        evidence = total if turn == 0 else evidence
        fitted = cv2.resize(values[..., :2], size[::-1], interpolation=cv2.INTER_LINEAR)
        now = own[..., 0] / (1 + ((moved - fitted) ** 2).sum(-1) / OUTLIER**2)
    return LocalMotion(corner, cell, np.concatenate([values, evidence[..., None]], -1))


def _part(values: Float[ndarray, "h w c"], corner: tuple[int, int], size: tuple[int, ...]) -> ndarray:
    """A part of the picture, with zeros beyond its border."""
    part = values[corner[1] : corner[1] + size[0], corner[0] : corner[0] + size[1]].astype(np.float64)
    return np.pad(part, ((0, size[0] - part.shape[0]), (0, size[1] - part.shape[1]), (0, 0)))


def _fit(
    weights: Float[ndarray, "h w"],
    place: Float[ndarray, "h w 2"],
    flow: Float[ndarray, "h w 2"],
    reach: float,
    cell: int,
) -> tuple[Float[ndarray, "ch cw 6"], Float[ndarray, "ch cw"]]:
    """Weighted affine fit around the middle of every cell: value and slope there, and the weight it rests on."""
    x, y = place[..., 0], place[..., 1]
    u, v = flow[..., 0], flow[..., 1]
    terms = [np.ones_like(x), x, y, x * x, x * y, y * y, u, v, x * u, y * u, x * v, y * v]
    moments = _cells(np.stack([weights * term for term in terms], -1), cell)
    near, far = (_blur(moments, sigma / cell) for sigma in (reach, FAR * reach))
    sums = near + FAR_WEIGHT * far
    total = sums[..., 0].clip(1e-12)
    shape = total.shape
    mean = sums / total[..., None]
    middle, value = mean[..., 1:3], mean[..., 6:8]
    spread = np.stack([mean[..., 3], mean[..., 4], mean[..., 4], mean[..., 5]], -1).reshape(*shape, 2, 2)
    spread = spread - middle[..., :, None] * middle[..., None, :] + STIFF * reach**2 * np.eye(2)
    # Rows by component of the flow, columns by axis of the place.
    cross = mean[..., 8:12].reshape(*shape, 2, 2) - value[..., :, None] * middle[..., None, :]
    slope = cross @ np.linalg.inv(spread)
    away = (_cells(place, cell) - middle)[..., None]
    return np.concatenate([value + (slope @ away)[..., 0], slope.reshape(*shape, 4)], -1), near[..., 0]


def _cells(values: Float[ndarray, "h w c"], cell: int) -> Float[ndarray, "ch cw c"]:
    """Means over square cells."""
    height, width, channels = values.shape
    return values.reshape(height // cell, cell, width // cell, cell, channels).mean((1, 3))


def _blur(values: Float[ndarray, "h w c"], sigma: float) -> Float[ndarray, "h w c"]:
    """Gaussian blur with nothing beyond the border."""
    kernel = cv2.getGaussianKernel(2 * int(np.ceil(3 * sigma)) + 1, sigma)
    return cv2.sepFilter2D(values, -1, kernel, kernel, borderType=cv2.BORDER_CONSTANT)
