"""Motion of points that are followed through a clip: exact, but known at few pixels."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from neoverse_ns.training.data.motion.view import View
from neoverse_ns.training.data.truth import Displacement


def track_displacement(
    view: View,
    places: Float[Tensor, "p 3"],
    other_places: Float[Tensor, "p 3"],
    visible: Bool[Tensor, " p"],
) -> Displacement:
    """Displacement of tracked points, each at the pixel it falls on.

    Args:
        view: Depth and camera of the frame.
        places: World positions of all tracks in the frame.
        other_places: World positions in the other frame, where they need not be visible.
        visible: The track is seen in the frame.

    Returns:
        Valid at pixels of known depth on which a visible track with two finite positions falls; of several the nearest
        to the camera is taken.
    """
    height, width = view.size
    uv, z = view.project(places)
    usable = visible & torch.isfinite(places).all(1) & torch.isfinite(other_places).all(1)
    usable = usable & (z > 0) & view.inside(uv)
    rows = usable.nonzero()[:, 0]
    x, y = uv[rows].long().unbind(1)
    pixel = y * width + x
    nearest = torch.full((height * width,), torch.inf, dtype=torch.float64)
    nearest.scatter_reduce_(0, pixel, z[rows], reduce="amin")
    front = z[rows] == nearest[pixel]
    # Of equally near ones the first wins, whatever order a parallel write takes.
    winner = torch.full((height * width,), len(places), dtype=torch.int64)
    winner.scatter_reduce_(0, pixel[front], rows[front], reduce="amin")
    hit = winner < len(places)
    moves = torch.cat([other_places.double() - places.double(), torch.zeros(1, 3, dtype=torch.float64)])
    world = moves[winner].float().view(height, width, 3)
    return Displacement(world, hit.view(height, width) & view.known)


@dataclass(frozen=True)
class TrackAgreement:
    """How well tracks, cameras and depth of a frame fit together.

    Attributes:
        tracks: Visible tracks that could be compared.
        pixels: Median distance between projected and given image coordinates; NaN where none was given.
        depth: Median relative difference between a track's z-depth and the map's at its pixel.
    """

    tracks: int
    pixels: float
    depth: float


def track_agreement(
    view: View,
    places: Float[Tensor, "p 3"],
    visible: Bool[Tensor, " p"],
    uv: Float[Tensor, "p 2"] | None = None,
) -> TrackAgreement:
    """Compare visible tracks with where they should be seen (within 1 pixel) and how deep (within 2 %).

    Args:
        view: Depth and camera of the frame.
        places: World positions.
        visible: The track is seen in the frame.
        uv: Image coordinates as the set gives them, in the convention of `view.K`.
    """
    own, z = view.project(places)
    seen = visible & torch.isfinite(places).all(1) & (z > 0) & view.inside(own)
    x, y = own[seen].long().unbind(1)
    there = view.depth[y, x].double()
    deep = torch.isfinite(there) & (there > 0)
    depth = ((z[seen] - there).abs() / there)[deep]
    pixels = torch.zeros(0) if uv is None else (own - uv.double())[seen].norm(dim=1)
    return TrackAgreement(int(deep.sum()), _median(pixels), _median(depth))


def _median(values: Tensor) -> float:
    return float(values.median()) if len(values) else float("nan")
