"""Tracks of a scene: what :mod:`follow` sees, fitted and sifted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.export.colmap.adjust import adjust_points, reprojection_errors
from neoverse_ns.export.colmap.follow import Sightings, follow_points
from neoverse_ns.export.colmap.tracks import Tracks, no_tracks
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.reconstruct.base import SceneGeometry

WORST = 1.5
"""Largest distance in pixels between an observation and its point's projection that is kept."""
MOST = 50_000
"""Points of a model at most; those that most frames see are kept."""


def find_tracks(clip: Clip, geometry: SceneGeometry, cameras: PinholeCameras, frames: Sequence[int]) -> Tracks:
    """Points from the keyframes' depth where it is sure and nothing moves, fitted to where frames show them.

    Observations are measured from pixels, so that errors say how well cameras, depth and pictures agree.

    Args:
        clip: The sampled frames.
        geometry: Depth of the keyframes, and what moves.
        cameras: One per sampled frame; may have been refined since the depth was measured.
        frames: Positions of the frames to look in.

    Returns:
        Points that at least two frames see (in a clip of a single frame: that one).
    """
    found = follow_points(clip, geometry, cameras, sorted(frames))
    if not found:
        return no_tracks()
    tracks, home = _joined(found)
    origins = cameras.c2w.detach().to(torch.float64)[home, :3, 3]
    points, keep = tracks.points, torch.ones(len(tracks.point), dtype=torch.bool)
    errors = torch.zeros(len(tracks.point), dtype=torch.float64)
    # What does not agree is dropped, and the points are fitted again to what is left.
    for _ in range(2):
        seen = tracks.point[keep], tracks.frame[keep], tracks.uv[keep]
        points = adjust_points(tracks.points, origins, cameras, *seen)
        errors = reprojection_errors(points, cameras, tracks.point, tracks.frame, tracks.uv)
        keep = errors < WORST
    point, frame, uv = tracks.point[keep], tracks.frame[keep], tracks.uv[keep]
    count = torch.bincount(point, minlength=len(points))
    total = torch.zeros(len(points), dtype=torch.float64).index_add_(0, point, errors[keep])
    fitted = Tracks(points, tracks.colours, total / count.clamp_min(1), point, frame, uv)
    return fitted.only(_worth_keeping(count, least=min(2, len(frames))))


def _joined(found: list[Sightings]) -> tuple[Tracks, Int64[Tensor, " p"]]:
    """All keyframes' points as lifted, without errors, and the keyframe of each."""
    starts = np.cumsum([0, *(len(part.world) for part in found)])
    points = torch.from_numpy(np.concatenate([part.world for part in found]))
    colours = torch.from_numpy(np.concatenate([part.colours for part in found]))
    home = torch.from_numpy(np.repeat([part.home for part in found], np.diff(starts)))
    point = torch.from_numpy(np.concatenate([p.point + s for p, s in zip(found, starts[:-1], strict=True)]))
    frame = torch.from_numpy(np.concatenate([part.frame for part in found]))
    uv: Float64[Tensor, "m 2"] = torch.from_numpy(np.concatenate([part.uv for part in found]))
    order = torch.argsort(frame * len(points) + point)
    errors = torch.zeros(len(points), dtype=torch.float64)
    return Tracks(points, colours, errors, point[order], frame[order], uv[order]), home


def _worth_keeping(count: Int64[Tensor, " p"], least: int) -> Tensor:
    good = count >= least
    if int(good.sum()) > MOST:
        good[torch.argsort(count * good, descending=True, stable=True)[MOST:]] = False
    return good
