"""The still surface behind what moves, as other keyframes have seen it."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy import ndarray
from torch import Tensor

from neoverse_ns.reconstruct.bundle.parallel import map_on_cores

SOURCES = (1, -1, 2, -2, 4, -4)
"""Which keyframes are asked, counted from the one in question."""
TRUSTED = 0.35
"""Confidence of the still depth from which on it is believed; a guess without parallax is not."""
WITNESSES = 1
"""Keyframes that must have seen a place."""
RIM = 4
"""Pixels (at 384 px width) around what moves in which still depth is not believed: flow carries it along."""
AROUND = 10
"""Pixels (at 384 px width) around what moves in which the surface is wanted as well: where things stand."""
CELL = 2
"""Side in pixels of the cells in which points are gathered: surfaces that come nearer leave no holes."""


def hidden_surfaces(
    behind: Float[Tensor, "k h w"],
    confidence: Float[Tensor, "k h w"],
    moving: Bool[ndarray, "k h w"],
    viewmats: Float[Tensor, "k 4 4"],
    focal: float,
) -> list[Float[ndarray, "h w"]]:
    """z-depth of what lies behind and around the moving pixels of every keyframe; NaN elsewhere and where no other
    keyframe has seen it.

    Args:
        behind: Static depth of the keyframes.
        confidence: Trust in it.
        moving: What moves, and shows nothing still.
        viewmats: World-to-camera matrices of the keyframes.
        focal: Focal length in pixels; the principal point is the image's middle.
    """
    count, scale = len(behind), max(moving.shape[2] / 384, 0.5)
    doubted, wanted = _widened(moving, RIM * scale), _widened(moving, AROUND * scale)

    def one(place: int) -> Float[ndarray, "h w"]:
        height, width = moving[place].shape
        if not moving[place].any():
            return np.full((height, width), np.nan, np.float32)
        seen = []
        for step in SOURCES:
            other = place + step
            if not 0 <= other < count:
                continue
            known = (confidence[other].numpy() >= TRUSTED) & ~doubted[other]
            relative = (viewmats[place].double() @ torch.linalg.inv(viewmats[other].double())).numpy()
            seen.append(_seen_from(behind[other].numpy(), known, relative, focal))
        # Each has its own errors along edges; most are right.
        surface = _median(np.stack(seen)) if seen else np.full((1, 1), np.nan)
        full = np.repeat(np.repeat(surface, CELL, 0), CELL, 1)[:height, :width]
        full = np.pad(full, ((0, height - full.shape[0]), (0, width - full.shape[1])), constant_values=np.nan)
        return np.where(wanted[place], full, np.nan).astype(np.float32)

    return list(map_on_cores(one, range(count)))


def _widened(masks: Bool[ndarray, "k h w"], reach: float) -> Bool[ndarray, "k h w"]:
    side = 2 * round(reach) + 1
    return np.stack([cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)) > 0 for mask in masks])


def _seen_from(
    depth: Float[ndarray, "h w"], known: Bool[ndarray, "h w"], relative: Float[ndarray, "4 4"], focal: float
) -> Float[ndarray, "ch cw"]:
    """Nearest z-depth in every cell of another camera; infinite where there is none."""
    height, width = depth.shape
    rows, columns = np.nonzero(known)
    z = depth[rows, columns]
    middle = np.array([width / 2, height / 2]) - 0.5
    points = np.stack([(columns - middle[0]) / focal * z, (rows - middle[1]) / focal * z, z])
    x, y, z = relative[:3, :3] @ points + relative[:3, 3:]
    cells = -(-height // CELL), -(-width // CELL)
    with np.errstate(all="ignore"):
        column = np.floor((focal * x / z + middle[0] + 0.5) / CELL)
        row = np.floor((focal * y / z + middle[1] + 0.5) / CELL)
    inside = (z > 0) & (column >= 0) & (column < cells[1]) & (row >= 0) & (row < cells[0])
    place = row[inside].astype(np.int64) * cells[1] + column[inside].astype(np.int64)
    nearest = np.full(cells[0] * cells[1], np.inf)
    np.minimum.at(nearest, place, z[inside])
    return nearest.reshape(cells)


def _median(values: Float[ndarray, "n h w"]) -> Float[ndarray, "h w"]:
    """Lower median of the finite ones; NaN where there are too few."""
    count = np.isfinite(values).sum(0)
    middle = np.take_along_axis(np.sort(values, 0), ((count - 1) // 2).clip(0)[None], 0)[0]
    return np.where(count >= min(WITNESSES, len(values)), middle, np.nan)
