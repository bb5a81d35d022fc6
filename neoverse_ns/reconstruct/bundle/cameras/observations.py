"""Flow sampled on a coarse grid: what bundle adjustment explains.

All lengths are in units of the image width: point (x, y) of a pixel is ((column + 0.5) / w, (row + 0.5) / w), the
principal point lies at (0.5, h / (2 w)), and a focal length is f / w.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField, Pair

FEWEST_TO_THIN = 8
"""Grids with fewer rows or columns are not thinned out."""


@dataclass(frozen=True)
class Observations:
    """Where the grid points of every source frame are seen in a target frame.

    Attributes:
        source: Source frame of each edge (directed pair), ascending.
        target: Target frame of each edge.
        points: Grid points, the same in every frame.
        seen: Where each edge's flow takes them.
        weights: Confidence of that, in [0, 1].
        grid: Rows and columns of the grid; points are row by row.
        frames: Number of frames.
        width: Image width in pixels.
        centre: Principal point.
    """

    source: Int64[Tensor, " e"]
    target: Int64[Tensor, " e"]
    points: Float[Tensor, "p 2"]
    seen: Float[Tensor, "e 2 p"]
    weights: Float[Tensor, "e p"]
    grid: tuple[int, int]
    frames: int
    width: int
    centre: Float[Tensor, "2"]

    @cached_property
    def centred(self) -> Float[Tensor, "2 p"]:
        """Grid points relative to the principal point."""
        return (self.points - self.centre).T.contiguous()

    @cached_property
    def edges(self) -> dict[Pair, int]:
        """Number of each directed pair."""
        pairs = zip(self.source.tolist(), self.target.tolist(), strict=True)
        return {pair: number for number, pair in enumerate(pairs)}

    @cached_property
    def slots(self) -> Int64[Tensor, " e"]:
        """Number of each edge among the edges of its source frame."""
        first = torch.searchsorted(self.source, self.source)
        return torch.arange(len(self.source)) - first


def thinned(observations: Observations) -> tuple[Observations, Int64[Tensor, " q"]]:
    """Every second row and column of the grid, and which points these are; all of it where it is tiny."""
    rows, columns = observations.grid
    if min(rows, columns) < FEWEST_TO_THIN:
        return observations, torch.arange(rows * columns)
    place = torch.arange(rows * columns).view(rows, columns)[::2, ::2]
    keep = place.flatten()
    fewer = replace(
        observations,
        points=observations.points[keep],
        seen=observations.seen[..., keep],
        weights=observations.weights[..., keep],
        grid=(place.shape[0], place.shape[1]),
    )
    return fewer, keep


def grid_indices(height: int, width: int, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the pixels at the centres of stride x stride cells; at least one of each."""
    rows, columns = (np.arange(min(stride // 2, size - 1), size, stride) for size in (height, width))
    return rows, columns


def observe(field: FlowField, frames: int, stride: int) -> Observations:
    """Sample a flow field every `stride` pixels, in float64."""
    pairs = field.pairs
    h, w = field.flow[pairs[0]].shape[:2]
    rows, columns = grid_indices(h, w, stride)
    here = np.ix_(rows, columns)
    y, x = np.meshgrid((rows + 0.5) / w, (columns + 0.5) / w, indexing="ij")
    points = torch.from_numpy(np.stack([x.ravel(), y.ravel()], 1))
    flow = np.stack([field.flow[p][here].reshape(-1, 2).T for p in pairs]).astype(np.float64)
    weights = np.stack([field.confidence[p][here].ravel() for p in pairs]).astype(np.float64)
    return Observations(
        source=torch.tensor([i for i, _ in pairs]),
        target=torch.tensor([j for _, j in pairs]),
        points=points,
        seen=torch.from_numpy(flow) / w + points.T,
        weights=torch.from_numpy(weights),
        grid=(len(rows), len(columns)),
        frames=frames,
        width=w,
        centre=torch.tensor([0.5, h / w / 2], dtype=torch.float64),
    )
